"""Mistakes in times, counts and parameters: values that do not fit together, or that nothing limits."""

from tests.template import test_arithmetic as arithmetic
from tests.template import test_function as function
from tests.template import test_pace as pace
from tests.template import test_parameters_and_outputs as parameters
from tests.template import test_rules as rules
from tests.template.mutants.mutant import REMOVED, Mutant, of

QUEUES = ("SongRequests", "SongDeadLetters")

TIMES = (
    Mutant(
        "an invocation is too short for the slots of its batch",
        ("Mappings", "Paces", "20", "Timeout"),
        120,
        lambda: pace.test_every_message_gets_a_slot_and_can_use_it_before_the_invocation_ends(20),
    ),
    Mutant(
        "more batches at a time than the pace has slots for",
        ("Mappings", "Paces", "20", "MaximumConcurrency"),
        50,
        lambda: pace.test_every_message_gets_a_slot_and_can_use_it_before_the_invocation_ends(20),
    ),
    Mutant(
        "a lease ends before its invocation",
        ("Mappings", "Paces", "20", "Lease"),
        239,
        lambda: pace.test_timeout_lease_and_visibility_keep_their_order(20),
    ),
    Mutant(
        "the function is given another timeout than its own",
        of("SubmitSong", "Environment", "Variables", "FUNCTION_TIMEOUT_SECONDS"),
        200,
        lambda: pace.test_the_functions_get_the_real_values(20),
    ),
    Mutant(
        "track_song ends before a poll is recorded",
        of("TrackSong", "Timeout"),
        20,
        arithmetic.test_connecting_polling_and_settling_end_before_the_invocation,
    ),
    Mutant(
        "receive_webhook outlasts the limit of API Gateway",
        of("ReceiveWebhook", "Timeout"),
        30,
        arithmetic.test_receive_webhook_ends_before_api_gateway_times_out,
    ),
)

PARAMETERS = (
    Mutant(
        "the fewest receives leave no try besides the reserved ones",
        ("Parameters", "MaxReceiveCount", "MinValue"),
        3,
        arithmetic.test_even_the_smallest_receive_count_leaves_a_try_besides_the_reserved_receives,
    ),
    Mutant(
        "a row expires while its message can return",
        ("Parameters", "KeepDays", "MinValue"),
        30,
        lambda: arithmetic.test_a_row_is_kept_at_least_twice_as_long_as_its_message(QUEUES),
    ),
    Mutant(
        "the backlog alarm comes after a request has expired",
        ("Parameters", "OldestMessageAlarmSeconds", "MaxValue"),
        1209600,
        arithmetic.test_the_backlog_alarm_comes_before_a_request_expires,
    ),
    Mutant(
        "a request waits longer for its webhook than SQS hides it",
        ("Parameters", "ResolutionWindowSeconds", "MaxValue"),
        43200,
        arithmetic.test_sqs_allows_the_longest_wait_for_a_webhook_after_a_receive,
    ),
    Mutant(
        "the first check is delayed for longer than SQS delays",
        ("Parameters", "FirstCheckSeconds", "MaxValue"),
        1800,
        arithmetic.test_sqs_allows_the_longest_delay_of_a_first_check,
    ),
    Mutant(
        "a number has no upper bound",
        ("Parameters", "RetryCapSeconds", "MaxValue"),
        REMOVED,
        lambda: parameters.test_a_number_has_both_bounds_and_states_them("RetryCapSeconds"),
    ),
    Mutant(
        "a number is stated with other bounds than it has",
        ("Parameters", "MemorySize", "MaxValue"),
        10240,
        lambda: parameters.test_a_number_has_both_bounds_and_states_them("MemorySize"),
    ),
    Mutant(
        "a text may be anything",
        ("Parameters", "MusicApiOrigin", "AllowedPattern"),
        REMOVED,
        lambda: parameters.test_a_parameter_is_bounded_in_one_way("MusicApiOrigin"),
    ),
    Mutant(
        "the token may be sent without TLS",
        ("Parameters", "MusicApiOrigin", "AllowedPattern"),
        "^https?://[a-zA-Z0-9.-]+(:[0-9]{1,5})?$",
        lambda: parameters.test_the_token_cannot_be_pointed_at_anything_but_an_https_origin("http://api.aimusicapi.ai"),
    ),
    Mutant(
        "a large batch needs no window",
        ("Rules", "LargeBatchesNeedAWindow"),
        REMOVED,
        function.test_a_larger_batch_is_refused_without_a_batching_window,
    ),
    Mutant(
        "no rule compares the timeout with the lease",
        ("Rules", "LeaseHoldsTheFunctionTimeout"),
        REMOVED,
        lambda: rules.test_a_lease_and_a_visibility_that_are_accepted_hold_the_timeout(
            "LeaseHoldsTheFunctionTimeout", "FunctionTimeoutSeconds", "LeaseSeconds", 1
        ),
    ),
    Mutant(
        "the token is a variable of a function",
        of("SubmitSong", "Environment", "Variables", "API_TOKEN"),
        "{{resolve:secretsmanager:song-intake}}",
        lambda: function.test_a_function_gets_these_variables_and_no_others("SubmitSong"),
    ),
)
