"""A bar in a table: a part of the whole, or two parts one after the other."""

from markupsafe import Markup

WIDTH, HEIGHT = 120, 10


def share_bar(said: str, part: float, second: float = 0.0) -> Markup:
    """`part` and `second`: shares of the whole, from 0 to 1; what is beyond it is not drawn. `said`: in words."""
    first_px = WIDTH * min(max(part, 0.0), 1.0)
    second_px = min(WIDTH * max(second, 0.0), WIDTH - first_px)
    rest = Markup('<rect class="second" x="{:.1f}" width="{:.1f}" height="{}"/>').format(first_px, second_px, HEIGHT)
    return Markup(
        '<svg class="share" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" aria-label="{said}">'
        '<title>{said}</title><rect class="whole" width="{w}" height="{h}"/>'
        '<rect class="part" width="{px:.1f}" height="{h}"/>{rest}</svg>'
    ).format(w=WIDTH, h=HEIGHT, said=said, px=first_px, rest=rest if second_px else "")
