------------------------------ MODULE Keeping ------------------------------
(***************************************************************************)
(* The recordings of one song: from its end to its last notification.  The *)
(* steps are those of work/tracking.py, work/keeping.py and                *)
(* ledger/keeping.py in song_intake.  A message is delivered again until   *)
(* it is acknowledged, also to two workers at the same time, and a worker  *)
(* may crash between any two steps.  The vendor may lack a clip for now or *)
(* for ever.                                                               *)
(*                                                                         *)
(* Rule = "design" is the design.  Every other rule leaves out a part.     *)
(***************************************************************************)
EXTENDS Naturals, FiniteSets, TLC

CONSTANTS Workers, Clips, Tasks,
          MaxCrashes, MaxRedrives,
          Rule

VARIABLES row,           \* what DynamoDB has
          objects,       \* the clips whose recording is in the bucket
          check, orders, letters,  \* messages: whether the check is queued, the numbers of the orders, the letters
          made,          \* how many orders were sent
          ended, told,   \* events that were published: of the song's end, and of its recordings
          answer,        \* task -> "new", "waits", or what it was completed with
          worker, crashes, redrives

vars == <<row, objects, check, orders, letters, made, ended, told, answer, worker, crashes, redrives>>

Idle == [does |-> "idle", order |-> 0, seen |-> {}, tried |-> {}, copied |-> {}, waits |-> FALSE]

Init == /\ row = [keeping |-> "none", recorded |-> {}, ordered |-> FALSE, published |-> FALSE, tasks |-> {}]
        /\ objects = {} /\ check = TRUE /\ orders = {} /\ letters = 0 /\ made = 0 /\ ended = FALSE /\ told = {}
        /\ answer = [t \in Tasks |-> "new"]
        /\ worker = [w \in Workers |-> Idle] /\ crashes = 0 /\ redrives = 0

Does(w, what) == worker[w].does = what
Go(w, what)   == worker' = [worker EXCEPT ![w].does = what]
Stop(w)       == worker' = [worker EXCEPT ![w] = Idle]
Over          == row.keeping \in {"kept", "given_up"}
Completed     == IF row.keeping = "kept" THEN "recordings" ELSE "clips"

(* A task comes with a message of its own: TaskTokens.add, and MessageSteps._answer_at_once. *)
Comes(t) ==
  /\ answer[t] = "new"
  /\ IF Over THEN answer' = [answer EXCEPT ![t] = Completed] /\ UNCHANGED row
             ELSE answer' = [answer EXCEPT ![t] = "waits"] /\ row' = [row EXCEPT !.tasks = @ \cup {t}]
  /\ UNCHANGED <<objects, check, orders, letters, made, ended, told, worker, crashes, redrives>>

(* The check of the song: TrackingStore.record_end, then the follow-ups of Tracking._done. *)
End(w) ==
  /\ Does(w, "idle") /\ check
  /\ row' = IF row.keeping = "none" THEN [row EXCEPT !.keeping = "pending"] ELSE row
  /\ IF Rule = "acknowledged_before_ordered" THEN check' = FALSE ELSE UNCHANGED check
  /\ Go(w, "publish_end")
  /\ UNCHANGED <<made, objects, orders, letters, ended, told, answer, crashes, redrives>>

PublishEnd(w) ==
  /\ Does(w, "publish_end") /\ ended' = TRUE
  /\ Go(w, IF row.keeping = "pending" /\ ~row.ordered THEN "order" ELSE "acknowledge_check")
  /\ UNCHANGED <<made, row, objects, check, orders, letters, told, answer, crashes, redrives>>

Order(w) ==
  /\ Does(w, "order") /\ made' = made + 1 /\ orders' = orders \cup {made'} /\ Go(w, "mark_ordered")
  /\ UNCHANGED <<row, objects, check, letters, ended, told, answer, crashes, redrives>>

MarkOrdered(w) ==
  /\ Does(w, "mark_ordered") /\ row' = [row EXCEPT !.ordered = TRUE] /\ Go(w, "acknowledge_check")
  /\ UNCHANGED <<made, objects, check, orders, letters, ended, told, answer, crashes, redrives>>

AcknowledgeCheck(w) ==
  /\ Does(w, "acknowledge_check") /\ check' = FALSE /\ Stop(w)
  /\ UNCHANGED <<made, row, objects, orders, letters, ended, told, answer, crashes, redrives>>

(* An order: RecordingKeeper.decide. *)
Begin(w, m) ==
  /\ Does(w, "idle") /\ m \in orders
  /\ worker' = [worker EXCEPT ![w] = [Idle EXCEPT !.does = IF Over THEN "publish" ELSE "copy",
                                                  !.order = m, !.seen = row.recorded]]
  /\ UNCHANGED <<made, row, objects, check, orders, letters, ended, told, answer, crashes, redrives>>

Missing(w) == Clips \ (worker[w].seen \cup worker[w].tried)

Copy(w, c) ==         \* RecordingCopier.copy: an object is written once
  /\ Does(w, "copy") /\ c \in Missing(w)
  /\ \/ /\ objects' = objects \cup {c}
        /\ worker' = [worker EXCEPT ![w].tried = @ \cup {c}, ![w].copied = @ \cup {c}]
     \/ /\ worker' = [worker EXCEPT ![w].tried = @ \cup {c}, ![w].waits = TRUE]      \* not yet
        /\ UNCHANGED objects
     \/ /\ worker' = [worker EXCEPT ![w].tried = @ \cup {c}] /\ UNCHANGED objects    \* never
  /\ UNCHANGED <<made, row, check, orders, letters, ended, told, answer, crashes, redrives>>

(* KeepingStore.record: only on the row that was read. *)
Record(w) ==
  /\ Does(w, "copy") /\ Missing(w) = {}
  /\ LET all  == worker[w].seen \cup worker[w].copied
         next == IF all = Clips \/ Rule = "kept_without_all" THEN "kept"
                 ELSE IF worker[w].waits THEN "pending" ELSE "given_up"
         may  == row.keeping = "pending" /\ row.recorded = worker[w].seen
     IN IF may THEN /\ row' = [row EXCEPT !.recorded = all, !.keeping = next]
                    /\ IF next = "pending" THEN Stop(w) ELSE Go(w, "publish")
               ELSE Stop(w) /\ UNCHANGED row
  /\ UNCHANGED <<made, objects, check, orders, letters, ended, told, answer, crashes, redrives>>

Publish(w) ==         \* Notifier.publish_keeping: by the row
  /\ Does(w, "publish")
  /\ IF Over THEN /\ told' = told \cup {row.keeping}
                  /\ answer' = [t \in Tasks |-> IF t \in row.tasks THEN Completed ELSE answer[t]]
                  /\ Go(w, "mark_published")
             ELSE Stop(w) /\ UNCHANGED <<told, answer>>
  /\ UNCHANGED <<made, row, objects, check, orders, letters, ended, crashes, redrives>>

MarkPublished(w) ==
  /\ Does(w, "mark_published")
  /\ row' = IF Over THEN [row EXCEPT !.published = TRUE, !.tasks = @ \ {t \in Tasks : answer[t] # "waits"}] ELSE row
  /\ Go(w, IF row.keeping = "given_up" /\ Rule # "given_up_without_letter" THEN "letter" ELSE "acknowledge")
  /\ UNCHANGED <<made, objects, check, orders, letters, ended, told, answer, crashes, redrives>>

Letter(w) ==
  /\ Does(w, "letter") /\ letters' = (IF letters < 1 THEN letters + 1 ELSE letters) /\ Go(w, "acknowledge")
  /\ UNCHANGED <<made, row, objects, check, orders, ended, told, answer, crashes, redrives>>

Acknowledge(w) ==
  /\ Does(w, "acknowledge") /\ orders' = orders \ {worker[w].order} /\ Stop(w)
  /\ UNCHANGED <<made, row, objects, check, letters, ended, told, answer, crashes, redrives>>

(* An operator redrives the letter: KeepingStore.resume. *)
Redrive ==
  /\ letters > 0 /\ redrives < MaxRedrives /\ redrives' = redrives + 1
  /\ letters' = letters - 1 /\ made' = made + 1 /\ orders' = orders \cup {made'}
  /\ row' = IF row.keeping = "given_up" THEN [row EXCEPT !.keeping = "pending", !.published = FALSE] ELSE row
  /\ UNCHANGED <<objects, check, ended, told, answer, worker, crashes>>

Crash(w) ==
  /\ ~Does(w, "idle") /\ crashes < MaxCrashes /\ crashes' = crashes + 1 /\ Stop(w)
  /\ UNCHANGED <<made, row, objects, check, orders, letters, ended, told, answer, redrives>>

Next == \/ \E t \in Tasks : Comes(t)
        \/ Redrive
        \/ \E w \in Workers : \/ End(w) \/ PublishEnd(w) \/ Order(w) \/ MarkOrdered(w) \/ AcknowledgeCheck(w)
                              \/ Record(w) \/ Publish(w) \/ MarkPublished(w) \/ Letter(w)
                              \/ Acknowledge(w) \/ Crash(w)
                              \/ \E m \in orders : Begin(w, m)
                              \/ \E c \in Clips : Copy(w, c)

Symmetry == Permutations(Workers) \cup Permutations(Clips)

Bounded == made <= 3
Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
AtRest == ~check /\ orders = {} /\ \A w \in Workers : Does(w, "idle")

KeptIsStored  == row.keeping = "kept" => row.recorded = Clips /\ Clips \subseteq objects
RecordedIsStored == row.recorded \subseteq objects
NothingLost   == AtRest => Over /\ (row.keeping = "given_up" => letters > 0)
AllAreTold    == AtRest => ended /\ row.keeping \in told /\ \A t \in Tasks : answer[t] # "waits"
AnsweredTruly == \A t \in Tasks : /\ answer[t] = "recordings" => Clips \subseteq objects
                                  /\ answer[t] = "clips" => "given_up" \in told \/ row.keeping = "given_up"
=============================================================================
