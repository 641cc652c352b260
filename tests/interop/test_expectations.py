"""The table of questions with their true answers, asked over DIMSE."""

from tests.interop.expectations import (
    test_a_limit_is_kept_and_said,
    test_every_series_shows_its_instances_with_and_without_the_study,
    test_it_answers_a_c_echo,
    test_modalities_and_counts_are_those_of_the_study,
    test_names_come_back_as_they_were_written,
    test_no_answer_of_a_misbehaving_archive_is_wrong_without_a_word,
    test_nothing_is_learned_of_an_archive_that_makes_an_answer_wrong,
    test_the_answer_is_the_true_one,
    truth,
)

# Asked here of the archives of conftest.
__all__ = (
    "test_a_limit_is_kept_and_said",
    "test_every_series_shows_its_instances_with_and_without_the_study",
    "test_it_answers_a_c_echo",
    "test_modalities_and_counts_are_those_of_the_study",
    "test_names_come_back_as_they_were_written",
    "test_no_answer_of_a_misbehaving_archive_is_wrong_without_a_word",
    "test_nothing_is_learned_of_an_archive_that_makes_an_answer_wrong",
    "test_the_answer_is_the_true_one",
    "truth",
)
