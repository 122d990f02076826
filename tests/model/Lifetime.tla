------------------------------ MODULE Lifetime ------------------------------
(***************************************************************************)
(* The whole life of one request: any number of redrives and of messages   *)
(* sent anew, rows that expire, and senders who copy our attributes.       *)
(* Ledger.tla has the same steps in finer detail, for one life on a queue. *)
(*                                                                         *)
(* A tick is 14 days: the retention of the dead letters, and more than     *)
(* that of the requests.  So no message and no letter survives two ticks   *)
(* after it was sent.  A row may expire after KeepTicks without a write.   *)
(*                                                                         *)
(* Rule = "design" is the design.  Any other Rule leaves out one rule, and *)
(* TLC finds what then goes wrong: see MUTANTS in check_model.py.          *)
(***************************************************************************)
EXTENDS Naturals, FiniteSets, TLC

CONSTANTS Slots,        \* room for the messages that exist at the same time
          Workers,
          MaxReceives,  \* the redrive policy's maxReceiveCount
          FinalReceive, \* the last receive on which a create may be sent: Submission.final_receive
          MaxSteps,     \* see FewSteps
          MaxCrashes,   \* between two ticks
          KeepTicks,    \* KeepDays
          Rule

VARIABLES slot,     \* slot -> the message in it
          row,      \* the item. by: the delivery id that claimed it or gave it up; age: ticks since the last write
          worker,   \* worker -> its next step, and the delivery that it handles
          created,  \* songs that exist
          pending,  \* songs that will exist after the deadline of their call
          letters,  \* kind of dead letter -> age of its youngest. A redriven one stays: a redrive may move it twice
          due,      \* a message was received since the last tick, and none has reached the row since
          crashes,  \* since the last tick
          lapsed    \* the retention of a queue has ended for a message or a letter, after its alarm

vars == <<slot, row, worker, created, pending, letters, due, crashes, lapsed>>

Min(a, b) == IF a < b THEN a ELSE b
Done == 9   \* row.by: the row of a song that was SUBMITTED has expired
Gone == 10  \* row.by: the row of a CLOSED request has expired

None == 2   \* the age of a letter that does not exist

Free  == [at |-> "free", id |-> 0, root |-> 0, n |-> 0, age |-> 0, task |-> FALSE, other |-> FALSE]
Idle  == [does |-> "idle", s |-> "none", id |-> 0, root |-> 0, n |-> 0, owner |-> 0, task |-> FALSE, other |-> FALSE]
(* CLOSED: REJECTED as CANCELLED or EXPIRED; see Row.is_closed. *)
NoRow == [status |-> "none", owner |-> 0, by |-> 0, root |-> 0, age |-> 0]

(* id: Message.delivery_id.  root: the message that the delivery truly descends from without a redrive; a ghost.  *)
(* task: names a task that is believed: Message.known_task_id.  other: counts as another request, by mistake.    *)
NewMessage(id) == [Free EXCEPT !.at = "visible", !.id = id, !.root = id]

Kinds == {"plain", "task", "moved"}   \* with a task_id; moved by SQS, so without our attributes

Init == /\ slot \in {[s \in Slots |-> IF s = first THEN NewMessage(1) ELSE Free] : first \in Slots}
        /\ row = NoRow
        /\ worker = [w \in Workers |-> Idle]
        /\ created = 0 /\ pending = 0
        /\ letters = [k \in Kinds |-> None] /\ due = FALSE /\ crashes = 0 /\ lapsed = FALSE

Smallest(taken) == CHOOSE i \in 1..8 : i \notin taken /\ \A j \in 1..8 : j \notin taken => i <= j
FreshId == Smallest({slot[s].id : s \in Slots} \cup {slot[s].root : s \in Slots} \cup {worker[w].id : w \in Workers}
                    \cup {worker[w].root : w \in Workers} \cup {row.by, row.root})
FreshOwner == Smallest({worker[w].owner : w \in Workers} \cup {row.owner})

Does(w, what) == worker[w].does = what
Mine(w)       == row.owner = worker[w].owner
Go(w, what)   == worker' = [worker EXCEPT ![w].does = what]
Leave(w)      == worker' = [worker EXCEPT ![w] = Idle]

(* RetryIn; and Submission.before_the_receives_run_out: in the second half of them, a new message takes its place. *)
Later(w) == IF 2 * worker[w].n > FinalReceive THEN Go(w, "send_anew") ELSE Leave(w)
(* It may only have waited for its slot (PACED): then it is sent anew on any receive. *)
MayBePaced(w) == Later(w) \/ Go(w, "send_anew")

-----------------------------------------------------------------------------
(* SQS, its senders, and operators *)

Send(s, forged) ==    \* a caller's duplicate, or anybody's message with the attributes of a letter
  /\ slot[s].at = "free"
  /\ row.age = 0 /\ (row.status # "none" \/ row.by = 0)     \* after KeepDays, the same id is another request
  /\ slot' = [slot EXCEPT ![s] = [NewMessage(FreshId) EXCEPT !.task = (forged /\ Rule = "letter_without_proof")]]
  /\ UNCHANGED <<row, worker, created, pending, letters, due, crashes, lapsed>>

Redrive(s, kind) ==   \* redrive_letters, any number of times; it signs a letter that SQS moved
  /\ slot[s].at = "free" /\ letters[kind] # None
  /\ slot' = [slot EXCEPT ![s] = [NewMessage(FreshId) EXCEPT !.task = (kind = "task"),
                !.other = (kind = "moved" /\ Rule = "moved_letter_not_signed")]]
  /\ UNCHANGED <<row, worker, created, pending, letters, due, crashes, lapsed>>

Receive(w, s) ==
  /\ Does(w, "idle") /\ slot[s].at = "visible" /\ slot[s].n < MaxReceives
  /\ LET n == slot[s].n + 1
     IN /\ slot' = [slot EXCEPT ![s].at = "in_flight", ![s].n = n]
        /\ worker' = [worker EXCEPT ![w] = [s |-> s, id |-> slot[s].id, root |-> slot[s].root, n |-> n, owner |-> 0,
                        task |-> slot[s].task, other |-> slot[s].other,
                        does |-> IF slot[s].task THEN "record_known"
                                 ELSE IF n <= FinalReceive THEN "claim" ELSE "give_up"]]
  /\ due' = TRUE
  /\ UNCHANGED <<row, created, pending, letters, crashes, lapsed>>

BecomeVisible(s) ==   \* also while a worker still handles it
  /\ slot[s].at = "in_flight" /\ slot' = [slot EXCEPT ![s].at = "visible"]
  /\ UNCHANGED <<row, worker, created, pending, letters, due, crashes, lapsed>>

(* The message is gone: its workers can no longer delete it. *)
Emptied(s, workers) == [w \in Workers |-> IF workers[w].s = s THEN [workers[w] EXCEPT !.s = "none"] ELSE workers[w]]

Move(s) ==            \* without our attributes, and with its age
  /\ slot[s].at = "visible" /\ slot[s].n = MaxReceives
  /\ letters' = [letters EXCEPT !["moved"] = Min(@, slot[s].age)]
  /\ slot' = [slot EXCEPT ![s] = Free] /\ worker' = Emptied(s, worker)
  /\ UNCHANGED <<row, created, pending, due, crashes, lapsed>>

Webhook ==            \* TrackingStore.record_webhook_task, or an operator who knows the task
  /\ created > 0 /\ row.status \in {"SUBMITTING", "IN_DOUBT"}
  /\ row' = [row EXCEPT !.status = "SUBMITTED", !.age = 0]
  /\ UNCHANGED <<slot, worker, created, pending, letters, due, crashes, lapsed>>

NotCreated ==         \* an operator's true decision: any message may claim the row then
  /\ created + pending = 0 /\ row.status = "IN_DOUBT" /\ \A w \in Workers : ~(Does(w, "create") /\ Mine(w))
  /\ row' = [row EXCEPT !.status = "REJECTED", !.by = 0, !.root = 0, !.age = 0]
  /\ UNCHANGED <<slot, worker, created, pending, letters, due, crashes, lapsed>>

Cancel ==             \* ResolutionStore.record_cancelled: also before a message of the request was received
  /\ row.status \in {"none", "RETRYING", "REJECTED"} /\ row.by \notin {Done, Gone}
  /\ row' = [row EXCEPT !.status = "CLOSED", !.age = 0]
  /\ UNCHANGED <<slot, worker, created, pending, letters, due, crashes, lapsed>>

-----------------------------------------------------------------------------
(* Time *)

Tick ==               \* no function and no call lives for 14 days, and no outage of the ledger does: nothing is due
  /\ \A w \in Workers : Does(w, "idle")
  /\ pending = 0 /\ ~due
  /\ row' = [row EXCEPT !.age = IF row.status = "none" THEN 0 ELSE Min(row.age + 1, KeepTicks)]
  /\ slot' = [s \in Slots |-> IF slot[s].at = "free" \/ slot[s].age = 1 THEN Free ELSE [slot[s] EXCEPT !.age = 1]]
  /\ letters' = [k \in Kinds |-> IF letters[k] = 0 THEN 1 ELSE None]
  /\ lapsed' = (lapsed \/ (\E s \in Slots : slot[s].age = 1) \/ (\E k \in Kinds : letters[k] = 1))
  /\ crashes' = 0 /\ UNCHANGED <<worker, created, pending, due>>

Expires == {"RETRYING", "REJECTED", "CLOSED", "SUBMITTED"}   \* only these rows have expires_at
           \cup (IF Rule = "doubts_expire" THEN {"SUBMITTING", "IN_DOUBT"} ELSE {})
Expire ==
  /\ row.status \in Expires /\ row.age = KeepTicks
  /\ row' = [NoRow EXCEPT !.owner = row.owner, !.by = CASE row.status = "SUBMITTED" -> Done [] row.status = "CLOSED" -> Gone [] OTHER -> 0]
  /\ UNCHANGED <<slot, worker, created, pending, letters, due, crashes, lapsed>>

-----------------------------------------------------------------------------
(* Submission *)

Renewed == IF Rule = "row_not_renewed" THEN row ELSE [row EXCEPT !.age = 0]

ByRow(w) ==           \* existing_row.decision_for_existing; the row that is in the way is renewed
  \/ row.status = "SUBMITTED" /\ row' = Renewed /\ Go(w, "acknowledge")
  \/ row.status = "IN_DOUBT" /\ row' = Renewed /\ (Go(w, "send_doubt") \/ Later(w))
  \/ row.status = "REJECTED" /\ row.by = worker[w].id /\ row' = Renewed /\ Go(w, "send_rejection")
  \/ row.status = "CLOSED" /\ row' = Renewed /\ Go(w, "send_rejection")
  \/ row.status = "SUBMITTING" /\ row' = Renewed /\ Later(w)
  \/ row.status = "SUBMITTING" /\ row' = [row EXCEPT !.status = "IN_DOUBT", !.age = 0] /\ Go(w, "send_doubt")
  \/ row.status \in {"none", "RETRYING"} /\ row' = row /\ Later(w)
  \/ row.status = "REJECTED" /\ row.by # worker[w].id /\ row' = Renewed /\ Later(w)

Claimable(w) == \/ row.status \in {"none", "RETRYING"}
                \/ row.status = "REJECTED" /\ row.by # worker[w].id
                \/ Rule = "doubt_claimed_again" /\ row.status = "IN_DOUBT"
                \/ Rule = "closed_claimed_again" /\ row.status = "CLOSED" /\ row.by # worker[w].id

Claimed(w) == [status |-> "SUBMITTING", owner |-> FreshOwner, by |-> worker[w].id, root |-> worker[w].root, age |-> 0]

ClosedBy(w) == [row EXCEPT !.status = "CLOSED", !.by = worker[w].id, !.root = worker[w].root, !.age = 0]

Claim(w) ==           \* SubmissionStore.claim; the deadline of the message may have passed
  /\ Does(w, "claim") /\ ~worker[w].other
  /\ \/ /\ Claimable(w) /\ row' = Claimed(w) /\ due' = FALSE
        /\ \/ worker' = [worker EXCEPT ![w].does = "create", ![w].owner = FreshOwner]
           \/ Later(w)                                                        \* the response was lost: no create
     \/ Claimable(w) /\ row' = [Claimed(w) EXCEPT !.status = "RETRYING"] /\ due' = FALSE /\ MayBePaced(w)   \* and released
     \/ ~Claimable(w) /\ ByRow(w) /\ due' = FALSE
     \/ row.status \in {"none", "RETRYING"} /\ row' = ClosedBy(w) /\ due' = FALSE /\ Go(w, "send_rejection")  \* expired
     \/ MayBePaced(w) /\ UNCHANGED <<row, due>>                              \* no token, no slot, no ledger
  /\ UNCHANGED <<slot, created, pending, letters, crashes, lapsed>>

ClaimElsewhere(w) ==  \* a message that lost its first id has a row of its own
  /\ Does(w, "claim") /\ worker[w].other
  /\ Go(w, "create") /\ UNCHANGED <<slot, row, created, pending, letters, due, crashes, lapsed>>

Create(w) ==
  /\ Does(w, "create")
  /\ \/ created' = created + 1 /\ Go(w, "created") /\ UNCHANGED pending
     \/ created' = created + 1 /\ Go(w, "unknown") /\ UNCHANGED pending
     \/ pending' = pending + 1 /\ Go(w, "unknown") /\ UNCHANGED created
     \/ Go(w, "unknown") /\ UNCHANGED <<created, pending>>
     \/ Go(w, "retryable") /\ UNCHANGED <<created, pending>>
     \/ Go(w, "refused") /\ UNCHANGED <<created, pending>>
     \/ Go(w, "expired") /\ UNCHANGED <<created, pending>>       \* while it waited for its slot: nothing is sent
  /\ UNCHANGED <<slot, row, letters, due, crashes, lapsed>>

CreateLate ==
  /\ pending > 0 /\ pending' = pending - 1 /\ created' = created + 1
  /\ UNCHANGED <<slot, row, worker, letters, due, crashes, lapsed>>

Record(w) ==          \* SubmissionStore.record_task; else Reason.TASK_NOT_RECORDED
  /\ Does(w, "created")
  /\ \/ row' = [row EXCEPT !.status = "SUBMITTED", !.age = 0] /\ Go(w, "acknowledge")
     \/ Go(w, "send_task") /\ UNCHANGED row
  /\ UNCHANGED <<slot, created, pending, letters, due, crashes, lapsed>>

RecordKnown(w) ==     \* the task of a redriven letter
  /\ Does(w, "record_known")
  /\ \/ /\ row.status \in {"SUBMITTING", "IN_DOUBT"} /\ due' = FALSE
        /\ row' = [row EXCEPT !.status = "SUBMITTED", !.age = 0] /\ Go(w, "acknowledge")
     \/ row.status \notin {"SUBMITTING", "IN_DOUBT"} /\ ByRow(w) /\ due' = FALSE
     \/ Go(w, "send_task") /\ UNCHANGED <<row, due>>
  /\ UNCHANGED <<slot, created, pending, letters, crashes, lapsed>>

Settles(w, status) == row' = [row EXCEPT !.status = status, !.age = 0]
Settle(w) ==          \* record_retrying, record_rejected, record_in_doubt: only the owner of the claim
  /\ worker[w].does \in {"retryable", "refused", "expired", "unknown"}
  /\ IF Mine(w) /\ row.status \in {"SUBMITTING", "IN_DOUBT"}
     THEN \/ Does(w, "retryable") /\ Settles(w, "RETRYING") /\ Later(w)
          \/ Does(w, "refused")  /\ Settles(w, "REJECTED") /\ Go(w, "send_rejection")
          \/ Does(w, "expired")  /\ Settles(w, "CLOSED") /\ Go(w, "send_rejection")
          \/ Does(w, "unknown")  /\ Rule # "unknown_is_retried" /\ Settles(w, "IN_DOUBT") /\ (Go(w, "send_doubt") \/ Later(w))
          \/ Does(w, "unknown")  /\ Rule = "unknown_is_retried" /\ Settles(w, "RETRYING") /\ Later(w)
     ELSE ByRow(w)
  /\ UNCHANGED <<slot, created, pending, letters, due, crashes, lapsed>>

NotSettled(w) ==      \* the ledger did not answer
  /\ worker[w].does \in {"retryable", "refused", "expired", "unknown"} /\ Later(w)
  /\ UNCHANGED <<slot, row, created, pending, letters, due, crashes, lapsed>>

GiveUp(w) ==          \* every receive before crashed the function: the last decision is the row's
  /\ Does(w, "give_up")
  /\ \/ /\ row.status \in {"none", "RETRYING"} /\ due' = FALSE /\ Go(w, "send_rejection")
        /\ \/ row' = [row EXCEPT !.status = "REJECTED", !.by = worker[w].id, !.root = worker[w].root, !.age = 0]
           \/ row' = ClosedBy(w)
     \/ row.status = "REJECTED" /\ row' = Renewed /\ due' = FALSE /\ Go(w, "send_rejection")
     \/ row.status \notin {"none", "RETRYING", "REJECTED"} /\ ByRow(w) /\ due' = FALSE
     \/ /\ UNCHANGED <<row, due>>                              \* the row cannot be read
        /\ \/ Go(w, "send_anew")
           \/ Go(w, IF Rule = "last_decision_without_row" THEN "send_rejection" ELSE "send_doubt")
  /\ UNCHANGED <<slot, created, pending, letters, crashes, lapsed>>

-----------------------------------------------------------------------------
(* RequestWork.perform *)

SendLetter(w) ==      \* DeadLetters.send, then the event; if one fails, the message stays on its queue
  /\ worker[w].does \in {"send_rejection", "send_doubt", "send_task"}
  /\ \/ /\ letters' = [letters EXCEPT ![IF Does(w, "send_task") THEN "task" ELSE "plain"] = 0]
        /\ Go(w, "acknowledge")
     \/ Leave(w) /\ UNCHANGED letters
  /\ UNCHANGED <<slot, row, created, pending, due, crashes, lapsed>>

Copy(w) ==            \* RequestQueue.send_anew: the same delivery id, and the same request
  LET id == IF Rule = "sent_anew_as_another_message" THEN FreshId ELSE worker[w].id
  IN [NewMessage(id) EXCEPT !.root = worker[w].root, !.task = worker[w].task,
                            !.other = (Rule = "sent_anew_without_first_id")]

SendAnew(w) ==        \* sent first, then acknowledged
  /\ Does(w, "send_anew")
  /\ \/ /\ Rule # "acknowledged_before_sent_anew"
        /\ \E s \in Slots : slot[s].at = "free" /\ slot' = [slot EXCEPT ![s] = Copy(w)]
        /\ Go(w, "acknowledge")
     \/ Rule = "acknowledged_before_sent_anew" /\ Go(w, "acknowledge_first") /\ UNCHANGED slot
     \/ Leave(w) /\ UNCHANGED slot
  /\ UNCHANGED <<row, created, pending, letters, due, crashes, lapsed>>

Deleted(w) == [s \in Slots |-> IF s = worker[w].s THEN Free ELSE slot[s]]

Acknowledge(w) ==
  /\ Does(w, "acknowledge")
  /\ slot' = Deleted(w)
  /\ worker' = Emptied(worker[w].s, [worker EXCEPT ![w] = Idle])
  /\ UNCHANGED <<row, created, pending, letters, due, crashes, lapsed>>

AcknowledgeFirst(w) ==
  /\ \/ Does(w, "acknowledge_first") /\ slot' = Deleted(w) /\ Go(w, "send_late")
     \/ Does(w, "send_late") /\ Leave(w) /\ \E s \in Slots : slot[s].at = "free" /\ slot' = [slot EXCEPT ![s] = Copy(w)]
  /\ UNCHANGED <<row, created, pending, letters, due, crashes, lapsed>>

Crash(w) ==
  /\ ~Does(w, "idle") /\ crashes < MaxCrashes
  /\ crashes' = crashes + 1 /\ Leave(w)
  /\ UNCHANGED <<slot, row, created, pending, letters, due, lapsed>>

-----------------------------------------------------------------------------
Step(w) == \/ Claim(w) \/ ClaimElsewhere(w) \/ Create(w) \/ Record(w) \/ RecordKnown(w) \/ Settle(w) \/ NotSettled(w)
           \/ GiveUp(w) \/ SendLetter(w) \/ SendAnew(w) \/ Acknowledge(w) \/ AcknowledgeFirst(w) \/ Crash(w)

Next == \/ \E w \in Workers : Step(w)
        \/ \E w \in Workers, s \in Slots : Receive(w, s)
        \/ \E s \in Slots, forged \in BOOLEAN : Send(s, forged)
        \/ \E s \in Slots, kind \in Kinds : Redrive(s, kind)
        \/ \E s \in Slots : BecomeVisible(s) \/ Move(s)
        \/ Webhook \/ NotCreated \/ Cancel \/ CreateLate \/ Tick \/ Expire

\* The larger configurations are too large to search whole: TLC visits every state that this many steps reach.
FewSteps == TLCGet("level") <= MaxSteps

Symmetry == Permutations(Slots) \cup Permutations(Workers)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* The numbers are those of the invariants in tests/properties/simulation/invariants.py. *)

AtMostOnce   == created + pending <= 1                                                                   \* 1, 5
Nowhere      == \A s \in Slots : slot[s].at = "free"
NothingLost  == Nowhere /\ (\A k \in Kinds : letters[k] = None) => row.status = "SUBMITTED" \/ row.by \in {Done, Gone} \/ lapsed           \* 2
NotForgotten == created + pending > 0 => row.status \in {"SUBMITTING", "IN_DOUBT", "SUBMITTED"} \/ row.by = Done \* 3
TaskIsReal   == row.status = "SUBMITTED" => created > 0                                                  \* 4

(* 8. "Rejected" is decided only on a row that says so. *)
TellsTheRow == [][\A w \in Workers : worker'[w].does = "send_rejection" /\ ~Does(w, "send_rejection")
                    => row'.status \in {"REJECTED", "CLOSED"}]_vars

(* A rejected row is claimed again only by another message of a caller or by a redrive: never by a copy of ours. *)
RejectionStands == [][\A w \in Workers : Does(w, "claim") /\ worker'[w].does = "create" /\ row.status = "REJECTED"
                        => worker[w].root # row.root]_vars

(* A request that was cancelled or has expired is never claimed again, also not after its row was deleted. *)
ClosedStays == [][row.status = "CLOSED" \/ row.by = Gone => row'.status = "CLOSED" \/ row'.by = Gone]_vars   \* 8
=============================================================================
