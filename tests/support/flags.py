"""Which flags of a result tell something about the answer, and which about how a busy machine read it."""

from shared.benchmark.results.flags import FLAGS
from shared.benchmark.results.record import ResultRecord

# A machine under load reads late and reads much at once. Then these are right, whatever the server did.
OF_READS = frozenset({"ttft_doubtful", "events_unseparated"})
if not FLAGS.keys() >= OF_READS:
    raise RuntimeError("a flag of reads has another name now")


def flags_of_answer(record: ResultRecord) -> list[str]:
    """The flags that the answer itself decides, in their order."""
    return [flag for flag in record.flags if flag not in OF_READS]
