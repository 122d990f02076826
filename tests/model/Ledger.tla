------------------------------- MODULE Ledger -------------------------------
(***************************************************************************)
(* One request_id, its messages, and the workers that receive them.  The   *)
(* steps are those of work/submission.py, ledger/submitting.py and         *)
(* work/existing_row.py in song_intake.  Anything else may happen between  *)
(* two steps: a step of another worker, a crash, a redelivery, a write     *)
(* that DynamoDB rejects.  A message of Msgs is a duplicate that a caller  *)
(* sent, or a redriven dead letter: both have the same request_id and      *)
(* another message id.                                                     *)
(*                                                                         *)
(* A lease may expire at any moment, so no clock is assumed.               *)
(*                                                                         *)
(* Rule = "ledger" is the design.  Rule = "idempotency_record" is the      *)
(* counter-example.  It is what Powertools Idempotency does: the record is *)
(* deleted when the handler raises, and an expired one is claimed again.   *)
(***************************************************************************)
EXTENDS Naturals, FiniteSets, TLC

CONSTANTS Msgs, Workers,
          MaxReceives,    \* the redrive policy's maxReceiveCount
          FinalReceive,   \* the last receive on which a create may be sent: Submission.final_receive
          MaxCrashes,
          ServiceFaults,  \* whether calls to DynamoDB and the dead-letter queue may fail
          Closes,         \* whether the request may be cancelled, and has a deadline
          Rule

VARIABLES queue,      \* message -> visible | in_flight | deleted | moved (by SQS, after the last receive)
          receives,   \* message -> its receive count
          row,        \* the item: status, owner of the last claim, message that claimed the request or gave it up
          worker,     \* worker -> its next step, the message it handles, and its claim
          created,    \* the claims whose song was created
          pending,    \* the claims whose song will be created after the deadline of the call
          letter,     \* a dead letter with a reason exists
          task_letter, \* a dead letter that carries the task_id exists
          crashes,
          late        \* the deadline of the request (not_after) has passed

vars == <<queue, receives, row, worker, created, pending, letter, task_letter, crashes, late>>

NoRow == [status |-> "none", owner |-> 0, by |-> "none"]
Idle  == [does |-> "idle", m |-> "none", owner |-> 0]

Init == /\ queue = [m \in Msgs |-> "visible"]
        /\ receives = [m \in Msgs |-> 0]
        /\ row = NoRow
        /\ worker = [w \in Workers |-> Idle]
        /\ created = {} /\ pending = {}
        /\ letter = FALSE /\ task_letter = FALSE
        /\ crashes = 0 /\ late = FALSE

Creates == Cardinality(created) + Cardinality(pending)

Does(w, what) == worker[w].does = what
Go(w, what)   == worker' = [worker EXCEPT ![w].does = what]
GoAs(w, what, owner) == worker' = [worker EXCEPT ![w].does = what, ![w].owner = owner]
Message(w) == worker[w].m
Mine(w)    == row.owner = worker[w].owner

(* RetryIn: reported in batchItemFailures, so SQS delivers the message again. *)
Leave(w) == worker' = [worker EXCEPT ![w] = Idle]

(* The same, but from the final receive on the request is given up. *)
Later(w) == IF receives[Message(w)] >= FinalReceive THEN Go(w, "give_up") ELSE Leave(w)

(* Another delivery holds the claim, or the ledger is unavailable: retry, and give up on the very last receive. *)
Held(w) == IF receives[Message(w)] < MaxReceives THEN Leave(w) ELSE Go(w, "send_letter")

-----------------------------------------------------------------------------
(* SQS *)

Receive(w, m) ==
  /\ Does(w, "idle") /\ queue[m] = "visible" /\ receives[m] < MaxReceives
  /\ queue' = [queue EXCEPT ![m] = "in_flight"]
  /\ receives' = [receives EXCEPT ![m] = @ + 1]
  /\ worker' = [worker EXCEPT ![w] = [m |-> m, owner |-> 0,
                  does |-> IF late THEN "expire"
                           ELSE IF receives[m] < FinalReceive THEN "claim" ELSE "give_up"]]  \* the rest is reserved
  /\ UNCHANGED <<row, created, pending, letter, task_letter, crashes, late>>

BecomeVisible(m) ==   \* also while a worker still handles it
  /\ queue[m] = "in_flight" /\ queue' = [queue EXCEPT ![m] = "visible"]
  /\ UNCHANGED <<receives, row, worker, created, pending, letter, task_letter, crashes, late>>

Move(m) ==
  /\ queue[m] = "visible" /\ receives[m] = MaxReceives
  /\ queue' = [queue EXCEPT ![m] = "moved"]
  /\ UNCHANGED <<receives, row, worker, created, pending, letter, task_letter, crashes, late>>

-----------------------------------------------------------------------------
(* Submission._attempt and _claim_and_create *)

Closed == {"CANCELLED", "EXPIRED"}   \* REJECTED for these reasons: Row.is_closed

Claimable(m) ==       \* the condition of SubmissionStore.claim
  \/ row.status \in {"none", "RETRYING"}
  \/ row.status = "REJECTED" /\ row.by # m

Claimed(w) == [status |-> "SUBMITTING", owner |-> row.owner + 1, by |-> Message(w)]

Claim(w) ==           \* SubmissionStore.claim
  /\ Does(w, "claim") /\ Rule = "ledger"
  /\ \/ /\ Claimable(Message(w)) /\ row' = Claimed(w)
        /\ \/ GoAs(w, "create", row.owner + 1)
           \/ ServiceFaults /\ GoAs(w, "release", row.owner + 1)       \* written, but the response was lost
     \/ ~Claimable(Message(w)) /\ Go(w, "read_row") /\ UNCHANGED row
     \/ Later(w) /\ UNCHANGED row         \* no token, no connection, no time left, or the claim was not written
  /\ UNCHANGED <<queue, receives, created, pending, letter, task_letter, crashes, late>>

Release(w) ==         \* the response to the claim was lost, so no create is sent under it
  /\ Does(w, "release")
  /\ \/ row' = IF Mine(w) /\ row.status \in {"SUBMITTING", "IN_DOUBT"} THEN [row EXCEPT !.status = "RETRYING"] ELSE row
     \/ row' = row
  /\ Later(w)
  /\ UNCHANGED <<queue, receives, created, pending, letter, task_letter, crashes, late>>

ReadRow(w) ==         \* existing_row.decision_for_existing, on the row that the failed condition returned
  /\ Does(w, "read_row")
  /\ CASE row.status = "SUBMITTED" -> Go(w, "acknowledge")
       [] row.status \in Closed \cup {"IN_DOUBT"} -> Go(w, "send_letter")
       [] row.status = "REJECTED" /\ row.by = Message(w) -> Go(w, "send_letter")
       [] row.status = "SUBMITTING" -> Held(w) \/ GoAs(w, "abandon", row.owner)   \* the lease is valid, or has expired
       [] OTHER -> Held(w)
  /\ UNCHANGED <<queue, receives, row, created, pending, letter, task_letter, crashes, late>>

Abandon(w) ==         \* SubmissionStore: sets IN_DOUBT only for the claim whose lease expired
  /\ Does(w, "abandon")
  /\ \/ /\ Mine(w) /\ row.status = "SUBMITTING"
        /\ row' = [row EXCEPT !.status = "IN_DOUBT"] /\ Go(w, "send_letter")
     \/ ~(Mine(w) /\ row.status = "SUBMITTING") /\ Go(w, "read_row") /\ UNCHANGED row
     \/ ServiceFaults /\ Held(w) /\ UNCHANGED row
  /\ UNCHANGED <<queue, receives, created, pending, letter, task_letter, crashes, late>>

-----------------------------------------------------------------------------
(* Connection.create, and the outcome that music_api/create.outcome_of returns *)

Create(w) ==          \* the deadline is checked once more before the first byte
  /\ Does(w, "create")
  /\ IF late THEN Go(w, "expired") /\ UNCHANGED <<created, pending>>
     ELSE \/ created' = created \cup {worker[w].owner} /\ Go(w, "created") /\ UNCHANGED pending   \* 2xx with a task_id
          \/ created' = created \cup {worker[w].owner} /\ Go(w, "unknown") /\ UNCHANGED pending   \* the response is lost, or 5xx
          \/ pending' = pending \cup {worker[w].owner} /\ Go(w, "unknown") /\ UNCHANGED created   \* after the deadline of the call
          \/ Go(w, "unknown")  /\ UNCHANGED <<created, pending>>                                  \* the request is lost
          \/ Go(w, "retryable") /\ UNCHANGED <<created, pending>>                                 \* 429, 401, 402
          \/ Go(w, "refused")  /\ UNCHANGED <<created, pending>>                                  \* 400, 403, 410
  /\ UNCHANGED <<queue, receives, row, letter, task_letter, crashes, late>>

CreateLate(owner) ==
  /\ owner \in pending
  /\ pending' = pending \ {owner} /\ created' = created \cup {owner}
  /\ UNCHANGED <<queue, receives, row, worker, letter, task_letter, crashes, late>>

-----------------------------------------------------------------------------
(* Submission._settle *)

Record(w) ==          \* SubmissionStore.record_task: from any status and any owner; else Reason.TASK_NOT_RECORDED
  /\ Does(w, "created")
  /\ \/ row' = [row EXCEPT !.status = "SUBMITTED"] /\ Go(w, "acknowledge")
     \/ ServiceFaults /\ (IF Rule = "ledger" THEN Go(w, "send_task") ELSE Leave(w)) /\ UNCHANGED row
  /\ UNCHANGED <<queue, receives, created, pending, letter, task_letter, crashes, late>>

(* record_retrying, record_rejected, record_in_doubt: only the owner of the claim, from SUBMITTING or IN_DOUBT *)
Write(w, status) == Mine(w) /\ row.status \in {"SUBMITTING", "IN_DOUBT"} /\ row' = [row EXCEPT !.status = status]
Stale(w) == ~(Mine(w) /\ row.status \in {"SUBMITTING", "IN_DOUBT"}) /\ Go(w, "read_row") /\ UNCHANGED row
NotWritten(w) == ServiceFaults /\ Later(w) /\ UNCHANGED row

Settle(w) ==
  /\ Rule = "ledger"
  /\ \/ Does(w, "retryable") /\ Write(w, "RETRYING") /\ Later(w)
     \/ Does(w, "refused")  /\ Write(w, "REJECTED") /\ Go(w, "send_letter")
     \/ Does(w, "expired")  /\ Write(w, "EXPIRED") /\ Go(w, "send_letter")
     \/ Does(w, "unknown")  /\ Write(w, "IN_DOUBT") /\ Go(w, "send_letter")
     \/ worker[w].does \in {"retryable", "refused", "expired", "unknown"} /\ (Stale(w) \/ NotWritten(w))
  /\ UNCHANGED <<queue, receives, created, pending, letter, task_letter, crashes, late>>

GiveUp(w) ==          \* giving_up.reject, SubmissionStore.record_given_up
  /\ worker[w].does \in {"give_up", "expire"} /\ Rule = "ledger"
  /\ \/ /\ row.status \in {"none", "RETRYING"} /\ Go(w, "send_letter")
        /\ row' = [row EXCEPT !.status = IF Does(w, "expire") THEN "EXPIRED" ELSE "REJECTED", !.by = Message(w)]
     \/ row.status \notin {"none", "RETRYING"} /\ Go(w, "read_row") /\ UNCHANGED row
     \/ ServiceFaults /\ Held(w) /\ UNCHANGED row
  /\ UNCHANGED <<queue, receives, created, pending, letter, task_letter, crashes, late>>

-----------------------------------------------------------------------------
(* Batch carries out the decision *)

SendLetter(w) ==      \* DeadLetters.send; if it fails, the message stays on its queue
  /\ \/ Does(w, "send_letter") /\ letter' = TRUE /\ Go(w, "acknowledge") /\ UNCHANGED task_letter
     \/ Does(w, "send_task") /\ letter' = TRUE /\ task_letter' = TRUE /\ Go(w, "acknowledge")
     \/ /\ Does(w, "send_letter") \/ Does(w, "send_task")
        /\ ServiceFaults /\ Leave(w) /\ UNCHANGED <<letter, task_letter>>
  /\ UNCHANGED <<queue, receives, row, created, pending, crashes, late>>

RedriveTask ==        \* a dead letter with a task_id is redriven: Message.known_task_id
  /\ task_letter /\ row' = [row EXCEPT !.status = "SUBMITTED"]
  /\ UNCHANGED <<queue, receives, worker, created, pending, letter, task_letter, crashes, late>>

Acknowledge(w) ==
  /\ Does(w, "acknowledge")
  /\ queue' = [queue EXCEPT ![Message(w)] = IF @ = "moved" THEN @ ELSE "deleted"]
  /\ Leave(w)
  /\ UNCHANGED <<receives, row, created, pending, letter, task_letter, crashes, late>>

Crash(w) ==
  /\ ~Does(w, "idle") /\ crashes < MaxCrashes
  /\ crashes' = crashes + 1 /\ Leave(w)
  /\ UNCHANGED <<queue, receives, row, created, pending, letter, task_letter, late>>

-----------------------------------------------------------------------------
(* An operator, and the clock *)

Cancel ==             \* ResolutionStore.record_cancelled
  /\ Closes /\ row.status \in {"none", "RETRYING", "REJECTED", "EXPIRED"}
  /\ row' = [row EXCEPT !.status = "CANCELLED"]
  /\ UNCHANGED <<queue, receives, worker, created, pending, letter, task_letter, crashes, late>>

Deadline ==
  /\ Closes /\ ~late /\ late' = TRUE
  /\ UNCHANGED <<queue, receives, row, worker, created, pending, letter, task_letter, crashes>>

-----------------------------------------------------------------------------
(* The counter-example *)

ClaimRecord(w) ==
  /\ Does(w, "claim") /\ Rule = "idempotency_record"
  /\ \/ row.status = "SUBMITTED" /\ Go(w, "acknowledge") /\ UNCHANGED row
     \/ row.status = "none" /\ row' = Claimed(w) /\ GoAs(w, "create", row.owner + 1)
     \/ row.status = "SUBMITTING" /\ Leave(w) /\ UNCHANGED row                        \* still in progress
     \/ row.status = "SUBMITTING" /\ row' = Claimed(w) /\ GoAs(w, "create", row.owner + 1)  \* expired: claimed again
  /\ UNCHANGED <<queue, receives, created, pending, letter, task_letter, crashes, late>>

DeleteRecord(w) ==    \* the handler raised
  /\ Rule = "idempotency_record"
  /\ worker[w].does \in {"unknown", "retryable", "refused", "give_up"}
  /\ row' = [row EXCEPT !.status = "none"] /\ Leave(w)
  /\ UNCHANGED <<queue, receives, created, pending, letter, task_letter, crashes, late>>

-----------------------------------------------------------------------------
Step(w) == \/ Claim(w) \/ Release(w) \/ ReadRow(w) \/ Abandon(w) \/ Create(w) \/ Record(w) \/ Settle(w)
           \/ GiveUp(w) \/ SendLetter(w) \/ Acknowledge(w) \/ ClaimRecord(w) \/ DeleteRecord(w)

Next == \/ \E w \in Workers : Step(w) \/ Crash(w)
        \/ \E w \in Workers, m \in Msgs : Receive(w, m)
        \/ \E m \in Msgs : BecomeVisible(m) \/ Move(m)
        \/ \E owner \in pending : CreateLate(owner)
        \/ RedriveTask \/ Cancel \/ Deadline

Fairness == /\ \A w \in Workers : WF_vars(Step(w))
            /\ \A w \in Workers, m \in Msgs : WF_vars(Receive(w, m))
            /\ \A m \in Msgs : WF_vars(BecomeVisible(m)) /\ WF_vars(Move(m))

Symmetry == Permutations(Msgs) \cup Permutations(Workers)   \* for safety properties only: TLC cannot use it for liveness

Spec == Init /\ [][Next]_vars /\ Fairness

-----------------------------------------------------------------------------
(* The numbers are those of the invariants in tests/properties/simulation/invariants.py. *)

AtMostOnce   == Creates <= 1                                                             \* 1
NothingLost  == \A m \in Msgs : queue[m] = "deleted" => (row.status = "SUBMITTED" \/ letter)   \* 2
NotForgotten == Creates > 0 => row.status \in {"SUBMITTING", "IN_DOUBT", "SUBMITTED"}    \* 3
TaskIsReal   == row.status = "SUBMITTED" => created # {}                                 \* 4

(* A request that was cancelled or has expired is never claimed again; and no create begins after the deadline. *)
ClosedStays  == [][row.status \in Closed => row'.status \in Closed]_vars                  \* 8
NeverLate    == [][late => Creates' = Creates]_vars                                       \* 9

Reported   == letter \/ \E m \in Msgs : queue[m] = "moved"
Settles    == <>[](\A m \in Msgs : queue[m] \in {"deleted", "moved"})                    \* 7
NoneIsOpen == <>[](row.status = "SUBMITTING" => Reported)                                    \* 7
=============================================================================
