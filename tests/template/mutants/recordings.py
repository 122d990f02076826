"""Mistakes by which recordings would be lost or public, or the function that copies them could do too much."""

from tests.template import test_least_privilege as rights
from tests.template import test_queues as queues
from tests.template import test_recordings as recordings
from tests.template.mutants.mutant import REMOVED, Mutant, allow, of, statement


def no_more_than_listed() -> None:
    rights.test_a_function_may_do_this_and_no_more("KeepRecording", rights.GRANTS_OF_KEEP_RECORDING)


RECORDINGS = (
    Mutant(
        "the bucket of recordings may be made public",
        of("RecordingBucket", "PublicAccessBlockConfiguration", "RestrictPublicBuckets"),
        False,
        recordings.test_nothing_makes_the_bucket_public,
    ),
    Mutant(
        "the recordings are deleted with the stack",
        ("Resources", "RecordingBucket", "DeletionPolicy"),
        "Delete",
        recordings.test_the_bucket_outlives_its_stack_and_has_no_name_that_another_one_could_want,
    ),
    Mutant(
        "recordings may be read without TLS",
        of("RecordingBucketPolicy", "PolicyDocument", "Statement", "DenyUnencryptedTransport", "Condition"),
        REMOVED,
        recordings.test_the_bucket_refuses_connections_without_tls,
    ),
    Mutant(
        "recordings expire although nobody asked for it",
        of("RecordingBucket", "LifecycleConfiguration", "Rules", "+"),
        {"Id": "soon", "Status": "Enabled", "ExpirationInDays": 30},
        recordings.test_recordings_expire_only_where_days_are_given,
    ),
    Mutant(
        "keep_recording may read the token",
        statement("KeepRecordingRole", "+"),
        allow("secretsmanager:GetSecretValue", {"Fn::GetAtt": ["ApiToken", "Id"]}),
        recordings.test_keep_recording_never_gets_the_token,
    ),
    Mutant(
        "keep_recording may delete recordings",
        statement("KeepRecordingRole", "WriteRecordings", "Action", "+"),
        "s3:DeleteObject",
        no_more_than_listed,
    ),
    Mutant(
        "the queue of recordings is there although they are off",
        ("Resources", "SongRecordings", "Condition"),
        REMOVED,
        recordings.test_with_recordings_off_none_of_their_resources_exists,
    ),
    Mutant(
        "the queue of recordings has a name that its retained one would keep",
        of("SongRecordings", "QueueName"),
        "song-recordings",
        lambda: queues.test_a_queue_that_may_be_turned_off_and_on_has_no_name("SongRecordings"),
    ),
)
