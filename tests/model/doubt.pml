/* What becomes of one notification whose fate is not known: what the dispatchers say, what receipts prove, and a policy
 * that sends again.
 *
 * A gateway has it twice only if a doubt was sent again, and that is listed. What the ledger says in the end is true.
 * Who sends and claims is ownership.pml's; here a dispatcher tells of each attempt what it saw, or dies.
 *
 * Each step says which function it is. Bounds and mistakes (-DBUG_...): README.md.
 */

#ifndef RESENDS /* --resends */
#define RESENDS 1
#endif
#ifndef DEATHS /* of a dispatcher */
#define DEATHS 1
#endif
#ifndef REFUSALS_FOR_NOW
#define REFUSALS_FOR_NOW 1
#endif
#ifndef REPORTS /* a gateway's report of an acceptance */
#define REPORTS 1
#endif
#ifndef APPROVALS /* an approver's "resend" */
#define APPROVALS 0
#endif
#ifndef STOPS /* the campaign is cancelled, or its deadline passes */
#define STOPS 1
#endif

#define ATTEMPTS 6 /* numbers below it */

/* an attempt */
#define UNMADE 0
#define WAITING 1 /* its record is in dispatch.* or retry.* */
#define FLYING 2
#define ANSWERED_YES 3
#define ANSWERED_NO 4
#define ANSWERED_LATER 5 /* refused for now */
#define CUT 6
#define ORPHANED 7 /* claimed by a process that has died */
#define OVER 8

mtype = { ACCEPTED, FAILED, TURNED_AWAY, DEFERRED, AWAITING, IN_DOUBT, RESENT, REFUSED_LATE, UNRESOLVED, EVERY_COPY_REFUSED,
          RECEIPT, RESOLVED };

/* steps of the ledger's lattice (notification_state.hpp) */
#define S_AWAITING 1
#define S_IN_DOUBT 2
#define S_DEFERRED 3
#define S_UNRESOLVED 4
#define S_FAILED 6
#define S_RESENT 7

/* Kafka: `events` of this notification, `gateway.receipts` */
chan events = [4] of { mtype, byte };
chan reports = [2] of { bit };
bit answer_told = 0; /* a record in Kafka says that it was accepted */

byte attempt[ATTEMPTS];
bit is_resend[ATTEMPTS]; /* Dispatch.resend: again() keeps it */
bit awaited[ATTEMPTS];

/* the gateway */
byte accepted = 0;
byte reports_due = 0;
/* the list of what was sent again in doubt */
byte listed = 0;

/* the ledger: progress is the highest of attempt * 8 + step; `seen` stays */
byte progress = 0;
bit seen_accepted = 0;

/* receipts: v1::Doubt, the history in PostgreSQL */
bit open = 0;
byte doubted = 0;
byte resent_as = 0;
bit is_awaiting = 0;
bit is_unresolved = 0;
bit is_refused = 0;
bit doubted_resend = 0; /* dispatch_of(d).resend() */
byte resends = 0;
bit is_known = 0;
bit known_accepted = 0;
bit parked = 0;
byte decided_through = 0;
bit mark_due = 0;
bit superseded = 0;

/* how far a decision has come */
#define NOT_ASKED 0
#define READING_REPORTS 1
#define READING_EVENTS 2
#define READ 3
byte asked = NOT_ASKED;
byte reports_left = 0;
byte events_left = 0;
bit answer_told_when_asked = 0;

bit stopped = 0;
byte deaths = DEATHS;
byte refusals = REFUSALS_FOR_NOW;
byte to_report = REPORTS;
byte approvals = APPROVALS;

#define is_resent (open && resent_as != 0 && !is_unresolved)
#define is_undecided (open && !is_awaiting && resent_as == 0 && !is_unresolved)
#define last_attempt (resent_as > doubted -> resent_as : doubted)
#define has_open_copy (!is_refused || doubted_resend)
#define is_out(a) (attempt[a] >= FLYING && attempt[a] <= ORPHANED)

/* state_of() and merge() of the ledger, for the event as it is written */
inline raise_progress(a, step) {
    if
    :: a * 8 + step > progress -> progress = a * 8 + step
    :: else
    fi
}

inline say(kind, a) {
    events ! kind, a;
    printf("event: %e of attempt %d\n", kind, a);
    if
    :: kind == ACCEPTED -> seen_accepted = 1; answer_told = 1
    :: kind == FAILED || kind == TURNED_AWAY ->
        if
#ifndef BUG_TURNED_AWAY_IS_FAILED
        :: is_resend[a] -> raise_progress(a, S_UNRESOLVED) /* of the copy before, that says nothing */
#endif
        :: else -> raise_progress(a, S_FAILED)
        fi
    :: kind == EVERY_COPY_REFUSED -> raise_progress(a, S_FAILED)
    :: kind == DEFERRED -> raise_progress(a, S_DEFERRED)
    :: kind == AWAITING -> raise_progress(a, S_AWAITING)
    :: kind == IN_DOUBT -> raise_progress(a, S_IN_DOUBT)
    :: kind == UNRESOLVED -> raise_progress(a, S_UNRESOLVED)
    :: kind == RESENT -> raise_progress((a - 1), S_RESENT); listed++
    :: kind == REFUSED_LATE -> raise_progress((a - 1), S_RESENT)
    :: else
    fi
}

/* The record of the next attempt. */
inline put_record(a, resend) {
    assert(a < ATTEMPTS && attempt[a] == UNMADE); /* one live record */
    attempt[a] = WAITING;
    is_resend[a] = resend
}

inline clear_doubt() {
    open = 0;
    doubted = 0;
    resent_as = 0;
    is_awaiting = 0;
    is_unresolved = 0;
    is_refused = 0;
    doubted_resend = 0;
    resends = 0;
    asked = NOT_ASKED;
    reports_left = 0;
    events_left = 0;
    answer_told_when_asked = 0
}

inline leave_unresolved() {
    is_awaiting = 0;
    is_unresolved = 1;
    asked = NOT_ASKED;
    next = last_attempt;
    say(UNRESOLVED, next)
}

/* doubts::send_again() */
inline send_again() {
    if
    :: stopped -> leave_unresolved() /* forbids_resend() */
    :: else ->
        next = last_attempt + 1;
        resent_as = next;
        is_unresolved = 0;
        resends++;
        asked = NOT_ASKED;
        put_record(next, 1);
        say(RESENT, next)
    fi
}

/* doubts::settle_as_failed(): no copy is open any more */
inline settle_as_failed(because) {
    next = last_attempt;
    if
    :: is_resend[because] || because < next ->
        clear_doubt();
        say(EVERY_COPY_REFUSED, next)
    :: else -> clear_doubt()
    fi
}

/* doubts::open_or_merge() */
inline open_or_merge(waits) {
    if
#ifndef BUG_ANSWERED_OPENS_AGAIN
    :: !open && (known_accepted || a <= decided_through) -> skip
#endif
    :: open && a == doubted -> is_awaiting = is_awaiting && waits
    :: open && a != doubted && (a < last_attempt || a <= decided_through) -> skip
    :: else ->
        alone = open && is_refused && !has_open_copy;
        next = resends;
        clear_doubt();
        open = 1;
        doubted = a;
        is_awaiting = waits;
        doubted_resend = is_resend[a] && !alone;
        resends = next
    fi
}

/* doubts::on_failed(), on_refused_for_good() */
inline on_failed() {
    if
    :: a < doubted -> skip
    :: a == doubted ->
        if
        :: !is_resent && !doubted_resend -> settle_as_failed(a)
        :: else ->
            if
            :: is_refused -> skip
            :: else ->
                is_refused = 1;
                if
                :: is_resent || is_unresolved -> skip
                :: else -> leave_unresolved()
                fi
            fi
        fi
    :: a > doubted && resent_as == 0 -> clear_doubt()
    :: a > doubted && resent_as != 0 && (a < resent_as || !is_resent) -> skip
    :: else ->
        resent_as = a;
        if
        :: !has_open_copy -> settle_as_failed(a)
        :: else ->
#ifdef BUG_TURNED_AWAY_SETTLES
            clear_doubt()
#else
            leave_unresolved()
#endif
        fi
    fi
}

/* doubts::on_deferred(): the late answer that it was not accepted */
inline on_deferred() {
    if
    :: a != doubted || is_refused -> skip
    :: else ->
        if
        :: resent_as != 0 && (is_resent || doubted_resend) -> is_refused = 1
        :: resent_as != 0 && !(is_resent || doubted_resend) -> settle_as_failed(a)
        :: else ->
            is_refused = 1;
            is_awaiting = 0;
            is_unresolved = 0;
            next = doubted + 1;
            resent_as = next;
            asked = NOT_ASKED;
            put_record(next, doubted_resend);
            say(REFUSED_LATE, next)
        fi
    fi
}

/* doubts::observe() */
inline observe() {
    if
    :: kind == AWAITING -> open_or_merge(1)
    :: kind == IN_DOUBT -> open_or_merge(0)
    :: kind == ACCEPTED && open ->
        mark_due = mark_due || (is_resent && a < resent_as);
        clear_doubt()
    :: (kind == FAILED || kind == TURNED_AWAY || kind == EVERY_COPY_REFUSED) && open -> on_failed()
    :: kind == DEFERRED && open -> on_deferred()
    :: kind == RECEIPT && open ->
        mark_due = mark_due || is_resent;
        next = doubted;
        clear_doubt();
        say(ACCEPTED, next)
    :: kind == RESOLVED && open && !is_awaiting && !is_resent && a == last_attempt -> send_again()
    :: else -> skip
    fi
}

/* learn() of the index, remember(): before it is observed */
inline remember() {
    is_known = is_known || kind == ACCEPTED || kind == RESENT || kind == REFUSED_LATE || kind == FAILED;
    if
    :: kind == ACCEPTED -> known_accepted = 1
    :: kind == RESENT || kind == REFUSED_LATE ->
        decided_through = (a - 1 > decided_through -> a - 1 : decided_through)
    :: kind == FAILED -> decided_through = (a > decided_through -> a : decided_through)
    :: else
    fi
}

/* One attempt with a dispatcher: courier::deliver(), outcomes::settle(). */
proctype dispatcher(byte a) {
end:
    do
    /* turned_away(), before anything is out */
    :: d_step { attempt[a] == WAITING && stopped && nfull(events) -> attempt[a] = OVER; say(TURNED_AWAY, a) }
    :: d_step { attempt[a] == WAITING && is_resend[a] && superseded && nfull(events) -> /* is_superseded() */
        attempt[a] = OVER;
        say(TURNED_AWAY, a) }
    :: d_step { attempt[a] == WAITING && !stopped && !(is_resend[a] && superseded) ->
        printf("attempt %d goes out\n", a);
        attempt[a] = FLYING }

    /* the gateway */
    :: d_step { attempt[a] == FLYING ->
        printf("gateway: accepts attempt %d\n", a);
        accepted++;
        assert(accepted <= 1 + listed); /* twice only what was sent again in doubt */
        if
        :: to_report > 0 -> reports_due++
        :: else
        fi;
        attempt[a] = ANSWERED_YES }
    :: d_step { attempt[a] == FLYING -> printf("gateway: refuses attempt %d\n", a); attempt[a] = ANSWERED_NO }
    :: d_step { attempt[a] == FLYING && refusals > 0 ->
        printf("gateway: refuses attempt %d for now\n", a);
        refusals--;
        attempt[a] = ANSWERED_LATER }
    :: d_step { attempt[a] == FLYING || attempt[a] == ANSWERED_YES ->
        printf("gateway: no answer to attempt %d\n", a);
        attempt[a] = CUT }

    /* settle_awaiting() */
    :: d_step { attempt[a] >= FLYING && attempt[a] <= CUT && !awaited[a] && nfull(events) ->
        awaited[a] = 1;
        say(AWAITING, a) }
    /* settle(): an answer, or a late one */
    :: d_step { attempt[a] == ANSWERED_YES && nfull(events) -> attempt[a] = OVER; say(ACCEPTED, a) }
    :: d_step { attempt[a] == ANSWERED_NO && nfull(events) -> attempt[a] = OVER; say(FAILED, a) }
    :: d_step { attempt[a] == ANSWERED_LATER && nfull(events) ->
        attempt[a] = OVER;
        if
        :: awaited[a] -> skip /* receipts sends it again */
        :: else -> put_record(a + 1, is_resend[a])
        fi;
        say(DEFERRED, a) }
    :: d_step { attempt[a] == CUT && nfull(events) -> attempt[a] = OVER; say(IN_DOUBT, a) }

    /* It dies: the next owner finds the claim of what was not settled; of what was awaiting nobody says anything. */
    :: d_step { deaths > 0 && attempt[a] >= FLYING && attempt[a] <= CUT ->
        printf("the dispatcher of attempt %d dies\n", a);
        deaths--;
        attempt[a] = (awaited[a] -> OVER : ORPHANED) }
    :: d_step { attempt[a] == ORPHANED && nfull(events) -> attempt[a] = OVER; say(IN_DOUBT, a) } /* decide_inherited() */
    od
}

proctype receipts() {
    mtype kind;
    byte a;
    byte next;
    bit alone;
end:
    do
    /* on_records(): of `events` */
    :: d_step { nempty(events) ->
        events ? kind, a;
        printf("receipts reads %e of attempt %d\n", kind, a);
        events_left = (events_left > 0 -> events_left - 1 : 0);
        remember();
        observe();
        if
        :: asked != NOT_ASKED && !is_undecided -> asked = NOT_ASKED; answer_told_when_asked = 0
        :: else
        fi;
        kind = RESOLVED;
        a = 0;
        next = 0;
        alone = 0 }
    /* of `gateway.receipts`, by whichever process has that partition: look_up() and park() of the index */
    :: d_step { nempty(reports) && nfull(events) ->
        reports ? _;
        reports_left = (reports_left > 0 -> reports_left - 1 : 0);
        if
        :: open || is_known -> say(RECEIPT, 0)
        :: else -> printf("receipts parks a report\n"); parked = 1
        fi }
    /* join_orphans(), look(): what was parked finds its message */
    :: d_step { parked && nfull(events) &&
#ifdef BUG_PARKED_FORGOTTEN
        known_accepted ->
#else
        (open || known_accepted) ->
#endif
        parked = 0;
        say(RECEIPT, 0) }

    /* review(): nothing came for longer than any protocol waits */
    :: d_step { open && is_awaiting && !is_out(doubted) && nfull(events) ->
        is_awaiting = 0;
        say(IN_DOUBT, doubted) }

    /* The doubt's time is up. First everything that may settle it and is in Kafka by now is read: reports become events,
     * so they come first. */
    :: d_step { is_undecided && asked == NOT_ASKED ->
        printf("the time of the doubt is up\n");
        answer_told_when_asked = answer_told;
        reports_left = len(reports);
#ifdef BUG_EVENTS_AND_REPORTS_AT_ONCE
        events_left = len(events);
#endif
        asked = READING_REPORTS }
    :: d_step { asked == READING_REPORTS && reports_left == 0 &&
#ifdef BUG_PARKED_FORGOTTEN
        true ->
#else
        !parked ->
#endif
#ifndef BUG_EVENTS_AND_REPORTS_AT_ONCE
        events_left = len(events);
#endif
        asked = READING_EVENTS }
    :: d_step { asked == READING_EVENTS && events_left == 0 -> asked = READ }
    /* decide() */
    :: d_step { is_undecided && nfull(events) &&
#ifdef BUG_RESEND_BEFORE_EVIDENCE
        asked != NOT_ASKED ->
#else
        asked == READ ->
#endif
        if
#ifndef BUG_RESENDS_UNBOUNDED
        :: resends >= RESENDS -> leave_unresolved()
#endif
        :: else ->
            assert(!answer_told_when_asked); /* the answer was there to be read */
            assert(resends < RESENDS);
            send_again()
        fi;
        answer_told_when_asked = 0;
        next = 0 }

    /* mark_superseded(), after the transaction */
    :: d_step { mark_due -> mark_due = 0; superseded = 1 }
    od
}

proctype world() {
    byte about = 0;
    do
    :: d_step { STOPS && !stopped -> printf("the campaign is stopped\n"); stopped = 1 }
    :: d_step { reports_due > 0 && to_report > 0 && nfull(reports) ->
        printf("gateway: reports what it accepted\n");
        reports_due--;
        to_report--;
        answer_told = 1;
        reports ! 1 }
    :: d_step { approvals > 0 && nfull(events) && is_unresolved ->
        printf("an approver sends it again\n");
        approvals--;
        about = last_attempt;
        say(RESOLVED, about);
        about = 0 }
    :: break
    od
}

/* When nothing can happen any more. */
proctype judge() {
    timeout;
    d_step {
        /* line_of(): in one line of the coverage, for good, and it is true */
        assert(seen_accepted || progress % 8 == S_UNRESOLVED || progress % 8 == S_FAILED);
        assert(!seen_accepted || accepted >= 1);
        assert(seen_accepted || progress % 8 != S_FAILED || accepted == 0);
        assert(seen_accepted || progress % 8 != S_UNRESOLVED || (open && is_unresolved)) /* an approver can decide it */
    }
}

init {
    byte a = 1;
    atomic {
        attempt[1] = WAITING;
        do
        :: a < ATTEMPTS -> run dispatcher(a); a++
        :: else -> break
        od;
        run receipts();
        run world();
        run judge()
    }
}
