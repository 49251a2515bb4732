"""The data table of a figure as CSV. Routes of pages call it where the API has no document of the same."""

from fastapi import Response

from api.pages.charts.figure import Figure
from shared.exports.csv_table import MEDIA_TYPE, small_table


def csv_of(figure: Figure) -> Response:
    """RFC 4180. Unknown is an empty field."""
    headers = {"Content-Disposition": f'attachment; filename="{figure.id}.csv"', "Cache-Control": "no-cache"}
    return Response(small_table(figure.columns, figure.rows), media_type=MEDIA_TYPE, headers=headers)
