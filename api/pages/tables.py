"""The data table of a figure as CSV. Routes of pages call it where the API has no document of the same."""

import csv
import io

from fastapi import Response

from api.pages.charts.figure import Figure


def csv_of(figure: Figure) -> Response:
    """RFC 4180. Unknown is an empty field. Texts of others never begin a field: no cell can be a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(figure.columns)
    writer.writerows(figure.rows)
    headers = {"Content-Disposition": f'attachment; filename="{figure.id}.csv"', "Cache-Control": "no-cache"}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)
