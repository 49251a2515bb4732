"""What of the metadata a list can be filtered by."""

from shared.benchmark.metadata import MAX_PAIR_CHARS, metadata_pairs


def test_texts_are_as_they_are_and_other_values_as_in_json() -> None:
    metadata = {"team": "search", "run": 7, "share": 0.5, "nightly": True, "owner": None, "": "x", "a:b": "c:d"}
    pairs = ["team:search", "run:7", "share:0.5", "nightly:true", "owner:null", ":x", "a:b:c:d"]
    assert metadata_pairs(metadata) == pairs


def test_objects_arrays_and_long_texts_are_left_out() -> None:
    longest = "v" * (MAX_PAIR_CHARS - 2)
    assert metadata_pairs({"o": {"a": 1}, "l": [1], "k": longest, "m": longest + "v"}) == [f"k:{longest}"]


def test_two_fields_that_read_the_same_are_one_pair() -> None:
    assert metadata_pairs({"a:b": "c", "a": "b:c"}) == ["a:b:c"]
