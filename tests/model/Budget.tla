------------------------------- MODULE Budget -------------------------------
(***************************************************************************)
(* The creates of one day, and the workers that reserve them.  The steps   *)
(* are those of admission/budget_item.py and admission/daily_budget.py in  *)
(* song_intake.  Between two steps, any other worker may make steps.  The  *)
(* SDK sends a write again if its response was lost.                       *)
(*                                                                         *)
(* Both limits, of the stack and of a sender, are conditions of one write, *)
(* so one of them is enough here.                                          *)
(*                                                                         *)
(* Rule = "design" is the design.  Every other rule leaves out a part.     *)
(***************************************************************************)
EXTENDS Naturals, TLC

CONSTANTS Workers, Limit,
          MaxTurns,     \* requests that are begun
          MaxCrashes,
          Rule

VARIABLES used, version, \* the item of the day
          worker,        \* worker -> its next step, and the version that it has seen
          creates,       \* songs that exist, or may exist
          turns, crashes

vars == <<used, version, worker, creates, turns, crashes>>

Idle == [does |-> "idle", seen |-> 0]

Init == /\ used = 0 /\ version = 0 /\ creates = 0 /\ turns = 0 /\ crashes = 0
        /\ worker = [w \in Workers |-> Idle]

Does(w, what) == worker[w].does = what
Go(w, what)   == worker' = [worker EXCEPT ![w].does = what]
Stop(w)       == worker' = [worker EXCEPT ![w] = Idle]
Sees(w, what, seen) == worker' = [worker EXCEPT ![w] = [does |-> what, seen |-> seen]]

(* Counted only after the create: a refusal reads the same count, but reserves nothing. *)
CountsLater == Rule = "counted_after_the_create"

Count == IF CountsLater THEN UNCHANGED <<used, version>> ELSE used' = used + 1 /\ version' = version + 1

Reserve(w) ==         \* BudgetItem.reserve
  /\ Does(w, "idle") /\ turns < MaxTurns /\ turns' = turns + 1
  /\ \/ /\ used < Limit /\ Count
        /\ \/ Sees(w, "claim", version')
           \/ Stop(w)                                 \* the response was lost: counted, and nothing is sent
           \/ Go(w, "reserve_again")
     \/ used >= Limit /\ Stop(w) /\ UNCHANGED <<used, version>>
     \/ Stop(w) /\ UNCHANGED <<used, version>>        \* the table did not answer
  /\ UNCHANGED <<creates, crashes>>

ReserveAgain(w) ==    \* the second attempt of the SDK
  /\ Does(w, "reserve_again")
  /\ IF used < Limit THEN Count /\ Sees(w, "claim", version') ELSE Stop(w) /\ UNCHANGED <<used, version>>
  /\ UNCHANGED <<creates, turns, crashes>>

Claim(w) ==           \* SubmissionStore.claim; a row that exists needs no create
  /\ Does(w, "claim")
  /\ Go(w, "create") \/ Go(w, "give_back")
  /\ UNCHANGED <<used, version, creates, turns, crashes>>

Create(w) ==          \* CreateReservation.charge
  /\ Does(w, "create")
  /\ \/ /\ creates' = creates + 1                     \* created, or unknown: it stays counted
        /\ IF CountsLater THEN Go(w, "count") ELSE Stop(w)
     \/ Go(w, "give_back") /\ UNCHANGED creates       \* proved not created
  /\ UNCHANGED <<used, version, turns, crashes>>

CountLater(w) ==
  /\ Does(w, "count") /\ used' = used + 1 /\ version' = version + 1 /\ Stop(w)
  /\ UNCHANGED <<creates, turns, crashes>>

MayTakeBack(w) == used > 0 /\ (version = worker[w].seen \/ Rule = "given_back_without_version")

GiveBack(w) ==        \* BudgetItem.give_back
  /\ Does(w, "give_back") /\ ~CountsLater
  /\ \/ /\ MayTakeBack(w) /\ used' = used - 1 /\ version' = version + 1
        /\ Stop(w) \/ Go(w, "give_back_again")
     \/ ~MayTakeBack(w) /\ Sees(w, "give_back", version) /\ UNCHANGED <<used, version>>
     \/ Stop(w) /\ UNCHANGED <<used, version>>        \* given up: it stays counted
  /\ UNCHANGED <<creates, turns, crashes>>

GiveBackAgain(w) ==   \* the second attempt of the SDK; if it fails, nobody knows about the first one
  /\ Does(w, "give_back_again")
  /\ IF MayTakeBack(w) THEN used' = used - 1 /\ version' = version + 1 ELSE UNCHANGED <<used, version>>
  /\ IF Rule = "uncertain_is_repeated" /\ ~MayTakeBack(w) THEN Sees(w, "give_back", version) ELSE Stop(w)
  /\ UNCHANGED <<creates, turns, crashes>>

Crash(w) ==
  /\ ~Does(w, "idle") /\ crashes < MaxCrashes
  /\ crashes' = crashes + 1 /\ Stop(w)
  /\ UNCHANGED <<used, version, creates, turns>>

Next == \E w \in Workers : \/ Reserve(w) \/ ReserveAgain(w) \/ Claim(w) \/ Create(w) \/ CountLater(w)
                           \/ GiveBack(w) \/ GiveBackAgain(w) \/ Crash(w)

Symmetry == Permutations(Workers)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
WithinLimit == creates <= Limit
=============================================================================
