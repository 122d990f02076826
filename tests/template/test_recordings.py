"""The bucket of recordings, and that nothing of them is there where they are not kept."""

import pytest

from tests.template.transformed import Json, arn_of, outputs, properties, resources

BUCKET = "RecordingBucket"
OF_RECORDINGS = {
    "SongRecordings",
    "SongRecordingsPolicy",
    "SongRecordingDeadLetters",
    "SongRecordingDeadLettersPolicy",
    "KeepRecording",
    "KeepRecordingRole",
    "KeepRecordingLogGroup",
    "KeepRecordingRecordings",
    "RecordingDeadLettersAlarm",
    "RecordingUnavailableAlarm",
    "OldestRecordingDeadLetterAlarm",
    "KeepRecordingErrorsAlarm",
    "KeepRecordingThrottlesAlarm",
}
OF_THE_BUCKET = {BUCKET, "RecordingBucketPolicy"}


def rules(**given: int | str) -> list[Json]:
    found: list[Json] = properties(BUCKET, **given)["LifecycleConfiguration"]["Rules"]
    return found


def test_with_recordings_off_none_of_their_resources_exists() -> None:
    assert set(resources()) - set(resources(KeepRecordings="off")) == OF_RECORDINGS | OF_THE_BUCKET


def test_an_existing_bucket_is_neither_created_nor_changed() -> None:
    assert set(resources()) - set(resources(RecordingBucketName="theirs")) == OF_THE_BUCKET


def test_the_outputs_of_recordings_are_there_only_with_them() -> None:
    conditional = {name for name, output in outputs().items() if output.get("Condition") == "KeepsRecordings"}
    assert len(conditional) == 7
    assert all("ecording" in name for name in conditional)


@pytest.mark.parametrize("function", ["TrackSong", "RedriveLetters"])
def test_with_recordings_off_the_other_functions_have_no_queue_of_them(function: str) -> None:
    variables = properties(function, KeepRecordings="off")["Environment"]["Variables"]
    assert variables["SONG_RECORDINGS_QUEUE_URL"] == ""
    assert "SongRecording" not in str(properties(f"{function}Role", KeepRecordings="off"))


def test_the_bucket_is_encrypted() -> None:
    (rule,) = properties(BUCKET)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}


def test_nothing_makes_the_bucket_public() -> None:
    blocked = properties(BUCKET)["PublicAccessBlockConfiguration"]
    names = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    assert blocked == dict.fromkeys(names, True)


def test_every_object_belongs_to_the_owner_of_the_bucket() -> None:
    assert properties(BUCKET)["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_the_bucket_outlives_its_stack_and_has_no_name_that_another_one_could_want() -> None:
    resource = resources()[BUCKET]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert "BucketName" not in resource["Properties"]


def test_the_bucket_refuses_connections_without_tls() -> None:
    policy = properties("RecordingBucketPolicy")
    assert policy["Bucket"] == {"Ref": BUCKET}
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement == {
        "Sid": "DenyUnencryptedTransport",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn_of(BUCKET), {"Fn::Sub": f"${{{BUCKET}.Arn}}/*"}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def test_an_upload_that_was_never_completed_is_removed() -> None:
    assert rules()[0]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert rules()[0]["Status"] == "Enabled"


def test_recordings_expire_only_where_days_are_given() -> None:
    assert len(rules()) == 1
    _, expiry = rules(RecordingDays=30)
    assert (expiry["Status"], expiry["ExpirationInDays"]) == ("Enabled", 30)


def test_keep_recording_never_gets_the_token() -> None:
    assert "ApiToken" not in str(resources()["KeepRecording"]) + str(resources()["KeepRecordingRole"])


def test_a_message_of_recordings_is_hidden_for_six_timeouts() -> None:
    hidden = properties("SongRecordings")["VisibilityTimeout"]
    assert hidden >= 6 * properties("KeepRecording")["Timeout"]
