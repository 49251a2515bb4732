"""Says in words how a connection was lost. Both transports use the same words."""


def words_of_loss(exc: BaseException) -> str:
    """What an error of the socket means, without its place in the exchange."""
    if isinstance(exc, ConnectionResetError):
        return "the server reset the connection (reset by peer)"
    if isinstance(exc, BrokenPipeError):
        return "the server had closed the connection"
    return f"the connection failed ({type(exc).__name__}: {exc})"


def words_of_place(*, answered: bool, head_complete: bool) -> str:
    """How far the answer had come when the connection was lost."""
    if head_complete:
        return "inside the answer"
    return "inside the head of the answer" if answered else "without an answer"
