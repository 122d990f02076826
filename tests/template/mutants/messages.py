"""Mistakes by which a message, a song or its row would be lost, or paid for twice."""

from tests.template import test_arithmetic as arithmetic
from tests.template import test_function as function
from tests.template import test_pace as pace
from tests.template import test_queues as queues
from tests.template import test_table as table
from tests.template.mutants.mutant import REMOVED, Mutant, of

DEAD_LETTERS = ("SongRequests", "SongDeadLetters")
SUBMIT = ("SubmitSong", "Events", "Requests", "Properties")
TRACK = ("TrackSong", "Events", "Checks", "Properties")
ANYONE = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}

QUEUES = (
    Mutant(
        "the checks are visible again before six timeouts",
        of("SongChecks", "VisibilityTimeout"),
        539,
        lambda: arithmetic.test_a_message_stays_hidden_for_six_timeouts("SongChecks", "TrackSong"),
    ),
    Mutant(
        "the requests are visible again before six timeouts",
        of("SongRequests", "VisibilityTimeout"),
        1439,
        lambda: pace.test_timeout_lease_and_visibility_keep_their_order(20),
    ),
    Mutant(
        "dead letters expire as soon as the requests",
        of("SongDeadLetters", "MessageRetentionPeriod"),
        864000,
        lambda: arithmetic.test_dead_letters_outlive_their_queue(*DEAD_LETTERS),
    ),
    Mutant(
        "requests expire while they are retried",
        of("SongRequests", "MessageRetentionPeriod"),
        3600,
        lambda: arithmetic.test_no_message_expires_while_it_is_still_being_retried(arithmetic.submit_settings()),
    ),
    Mutant(
        "the requests have no dead-letter queue",
        of("SongRequests", "RedrivePolicy"),
        REMOVED,
        queues.test_every_queue_that_is_read_has_its_dead_letters_behind_it,
    ),
    Mutant(
        "the checks share the dead-letter queue of the requests",
        of("SongChecks", "RedrivePolicy", "deadLetterTargetArn"),
        {"Fn::GetAtt": ["SongDeadLetters", "Arn"]},
        queues.test_every_queue_that_is_read_has_its_dead_letters_behind_it,
    ),
    Mutant(
        "SQS moves a request after three receives, before the function decides",
        of("SongRequests", "RedrivePolicy", "maxReceiveCount"),
        3,
        lambda: arithmetic.test_the_function_gets_its_real_timeout_batch_size_and_receive_count(
            arithmetic.submit_settings()
        ),
    ),
    Mutant(
        "any queue may send to the dead letters",
        of("SongDeadLetters", "RedriveAllowPolicy"),
        {"redrivePermission": "allowAll"},
        lambda: queues.test_dead_letters_are_accepted_from_their_own_queue_only(*DEAD_LETTERS),
    ),
    Mutant(
        "the queue of the requests takes the dead letters of any queue",
        of("SongRequests", "RedriveAllowPolicy"),
        REMOVED,
        lambda: queues.test_nothing_uses_a_queue_that_is_read_as_its_dead_letter_queue("SongRequests"),
    ),
    Mutant(
        "a dead letter is too large for its queue",
        of("SongDeadLetters", "MaximumMessageSize"),
        1032192,
        lambda: arithmetic.test_a_dead_letter_has_room_for_the_largest_message_and_our_attributes(*DEAD_LETTERS),
    ),
    Mutant(
        "a queue is not encrypted",
        of("SongChecks", "SqsManagedSseEnabled"),
        False,
        lambda: queues.test_a_queue_is_encrypted_at_rest("SongChecks"),
    ),
    Mutant(
        "a queue has no policy against connections without TLS",
        ("Resources", "SongChecksPolicy"),
        REMOVED,
        lambda: queues.test_a_queue_refuses_connections_without_tls("SongChecks"),
    ),
    Mutant(
        "a queue refuses TLS",
        of("SongRequestsPolicy", "PolicyDocument", "Statement", "0", "Condition", "Bool", "aws:SecureTransport"),
        "true",
        lambda: queues.test_a_queue_refuses_connections_without_tls("SongRequests"),
    ),
    Mutant(
        "everyone may send dead letters",
        of("SongDeadLettersPolicy", "PolicyDocument", "Statement", "+"),
        ANYONE,
        lambda: queues.test_a_queue_refuses_connections_without_tls("SongDeadLetters"),
    ),
    Mutant(
        "the dead letters are deleted with the stack",
        ("Resources", "SongDeadLetters", "DeletionPolicy"),
        "Delete",
        lambda: queues.test_a_queue_outlives_its_stack("SongDeadLetters"),
    ),
    Mutant(
        "a replaced queue is deleted with its requests",
        ("Resources", "SongRequests", "UpdateReplacePolicy"),
        REMOVED,
        lambda: queues.test_a_queue_outlives_its_stack("SongRequests"),
    ),
    Mutant(
        "two stacks have the same queue name",
        of("SongRequests", "QueueName"),
        {"Fn::Sub": ["song-requests", {}]},
        lambda: queues.test_two_stacks_of_an_account_have_two_queues("SongRequests"),
    ),
)

MAPPINGS = (
    Mutant(
        "one failed request returns the whole batch",
        of(*SUBMIT, "FunctionResponseTypes"),
        REMOVED,
        lambda: function.test_a_mapping_reports_each_failed_message("SubmitSongRequests"),
    ),
    Mutant(
        "a filter drops checks",
        of(*TRACK, "FilterCriteria"),
        {"Filters": [{"Pattern": '{"body": {"task_id": [{"exists": true}]}}'}]},
        lambda: function.test_a_mapping_drops_no_message_by_a_filter("TrackSongChecks"),
    ),
    Mutant(
        "a deployment ends a pause",
        of(*SUBMIT, "Enabled"),
        True,
        lambda: function.test_a_deployment_neither_pauses_a_mapping_nor_ends_a_pause("SubmitSongRequests"),
    ),
    Mutant(
        "the concurrency of track_song is unbounded",
        of(*TRACK, "ScalingConfig"),
        REMOVED,
        lambda: function.test_without_a_pace_a_mapping_has_batches_of_ten_and_limited_concurrency("TrackSongChecks"),
    ),
    Mutant(
        "the checks wait for a slot of the pace",
        of(*TRACK, "BatchSize"),
        {"Fn::If": ["IsPaced", 1, {"Ref": "BatchSize"}]},
        function.test_the_mapping_of_checks_has_no_pace,
    ),
    Mutant(
        "submit_song has a reserved concurrency below that of its mapping",
        of("SubmitSong", "ReservedConcurrentExecutions"),
        1,
        lambda: function.test_no_function_takes_concurrency_from_the_others("SubmitSong"),
    ),
    Mutant(
        "Lambda takes requests that are sent anew for a loop",
        of("SubmitSong", "RecursiveLoop"),
        REMOVED,
        lambda: function.test_lambda_does_not_stop_a_function_that_sends_to_its_own_queue("SubmitSong"),
    ),
)

TABLE = (
    Mutant(
        "the ledger is deleted with the stack",
        ("Resources", "Ledger", "DeletionPolicy"),
        REMOVED,
        table.test_the_ledger_outlives_its_stack,
    ),
    Mutant(
        "the ledger cannot be restored to a moment",
        of("Ledger", "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"),
        False,
        table.test_the_ledger_is_encrypted_and_can_be_restored_to_any_moment,
    ),
    Mutant(
        "the ledger is not encrypted by a key in KMS",
        of("Ledger", "SSESpecification"),
        REMOVED,
        table.test_the_ledger_is_encrypted_and_can_be_restored_to_any_moment,
    ),
    Mutant(
        "the ledger may be deleted",
        of("Ledger", "DeletionProtectionEnabled"),
        False,
        table.test_the_ledger_is_protected_unless_its_protection_is_switched_off,
    ),
    Mutant(
        "the ledger deletes rows by the time of their last change",
        of("Ledger", "TimeToLiveSpecification", "AttributeName"),
        "updated_at",
        table.test_the_ledger_deletes_rows_by_expires_at,
    ),
    Mutant(
        "the ledger has a fixed capacity",
        of("Ledger", "BillingMode"),
        "PROVISIONED",
        table.test_the_ledger_is_paid_for_on_demand,
    ),
    Mutant(
        "the list of unknown outcomes has only their keys",
        of("Ledger", "GlobalSecondaryIndexes", "0", "Projection", "ProjectionType"),
        "KEYS_ONLY",
        table.test_the_index_holds_only_the_requests_in_doubt,
    ),
)
