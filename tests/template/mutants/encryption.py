"""Mistakes about the key and the tags: something is not encrypted by the user's key, or bears no name of its stack."""

from tests.template import test_kms_key as keys
from tests.template import test_tags as tags
from tests.template.mutants.mutant import REMOVED, Mutant, of, statement

# The statement about the key is the last one of each role.
OF_SUBMIT_SONG = statement("SubmitSongRole", "-1", "Fn::If", "1")
OF_SWITCH_INTAKE = statement("SwitchIntakeRole", "-1", "Fn::If", "1")
OF_SENDERS = of("SenderPolicy", "PolicyDocument", "Statement", "1", "Fn::If", "1")

ENCRYPTION = (
    Mutant(
        "a further queue has no key",
        ("Resources", "FurtherQueue"),
        {"Type": "AWS::SQS::Queue", "Properties": {"SqsManagedSseEnabled": True}},
        lambda: keys.test_each_resource_that_can_have_the_key_has_it("AWS::SQS::Queue"),
    ),
    Mutant(
        "a further type of resource has no key",
        ("Resources", "FurtherStream"),
        {"Type": "AWS::Kinesis::Stream", "Properties": {}},
        keys.test_every_type_that_can_have_a_key_is_known,
    ),
    Mutant(
        "the ledger keeps the key of AWS",
        of("Ledger", "SSESpecification", "KMSMasterKeyId"),
        REMOVED,
        lambda: keys.test_each_resource_that_can_have_the_key_has_it("AWS::DynamoDB::Table"),
    ),
    Mutant(
        "a log has no key",
        of("WebhookAccessLogGroup", "KmsKeyId"),
        REMOVED,
        lambda: keys.test_each_resource_that_can_have_the_key_has_it("AWS::Logs::LogGroup"),
    ),
    Mutant(
        "the settings of the functions keep the key of AWS",
        ("Globals", "Function", "KmsKeyArn"),
        REMOVED,
        lambda: keys.test_each_resource_that_can_have_the_key_has_it("AWS::Lambda::Function"),
    ),
    Mutant(
        "a queue has two kinds of encryption, which SQS refuses",
        of("SongRequests", "SqsManagedSseEnabled"),
        True,
        keys.test_the_kind_of_encryption_follows_the_key,
    ),
    Mutant(
        "the bucket names a key and does not use it",
        of(
            "RecordingBucket",
            *("BucketEncryption", "ServerSideEncryptionConfiguration", "0"),
            *("ServerSideEncryptionByDefault", "SSEAlgorithm"),
        ),
        "AES256",
        keys.test_the_kind_of_encryption_follows_the_key,
    ),
    Mutant(
        "the key of the alarms is paid for although nothing uses it",
        ("Resources", "AlarmKey", "Condition"),
        REMOVED,
        keys.test_the_kind_of_encryption_follows_the_key,
    ),
    Mutant(
        "submit_song may use every key",
        (*OF_SUBMIT_SONG, "Resource"),
        "*",
        keys.test_who_needs_the_key_may_use_it_and_no_other_key,
    ),
    Mutant(
        "submit_song cannot send encrypted messages",
        (*OF_SUBMIT_SONG, "Action"),
        "kms:Decrypt",
        keys.test_who_needs_the_key_may_use_it_and_no_other_key,
    ),
    Mutant(
        "switch_intake may encrypt",
        (*OF_SWITCH_INTAKE, "Action"),
        keys.READS_AND_SENDS,
        keys.test_who_needs_the_key_may_use_it_and_no_other_key,
    ),
    Mutant(
        "a sender cannot send to the encrypted queue",
        (*OF_SENDERS, "Action"),
        "kms:Decrypt",
        keys.test_who_needs_the_key_may_use_it_and_no_other_key,
    ),
    Mutant(
        "a role has a right on keys although there is none",
        statement("SubmitSongRole", "+"),
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"},
        keys.test_without_a_key_no_role_has_a_right_on_one,
    ),
    Mutant(
        "the alias of a key is accepted, which no policy can name",
        ("Parameters", "KmsKeyArn", "AllowedPattern"),
        "^$|^arn:aws[a-z-]*:kms:.*$",
        lambda: keys.test_only_the_arn_of_a_key_is_accepted("arn:aws:kms:eu-central-1:123456789012:alias/songs", False),
    ),
)

TAGS = (
    Mutant(
        "a queue that is left behind has no name of its stack",
        of("SongCheckDeadLetters", "Tags"),
        REMOVED,
        tags.test_what_cloudformation_does_not_tag_is_tagged_with_the_name_of_the_stack,
    ),
    Mutant(
        "the template's own tag hides the one that was given",
        of("SongEvents", "Tags"),
        [{"Key": "team", "Value": "music"}],
        tags.test_no_other_tag_hides_one_that_is_given_at_the_deployment,
    ),
)
