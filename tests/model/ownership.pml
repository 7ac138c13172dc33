/* Who may send a record of one partition, and what whoever comes next knows about it.
 *
 * Two processes of a dispatcher take over from each other: one may be killed, or sleep while the group gives its
 * partition to the other. Kafka keeps the range, Redis keeps head and claims and may forget, a commit may end unknown.
 * Nobody sends again here (doubt.pml does): whatever happens, a gateway has each record at most once, each record is
 * settled once, and what the events say of it is true.
 *
 * Each step says which function it is. A step is atomic where the code runs without awaiting anything; between two
 * steps anything else may happen. Bounds and mistakes (-DBUG_...): README.md.
 */

#ifndef RECORDS
#define RECORDS 2
#endif
#ifndef HANDOVERS /* kills, and partitions given to the other process */
#define HANDOVERS 2
#endif
#ifndef LOSSES /* of Redis: FLUSHALL, or a restart from an older file */
#define LOSSES 1
#endif
#ifndef ODD_COMMITS /* that abort, or end without an answer */
#define ODD_COMMITS 0
#endif
#ifndef SPARE_COMMITS /* while a head is raised */
#define SPARE_COMMITS 0
#endif
#ifndef LOST_REPLIES /* of Redis, to a command that it carried out, or will yet */
#define LOST_REPLIES 0
#endif

#define NOBODY 2
#define bit_of(r) (1 << (r))
#define EVERYTHING ((1 << RECORDS) - 1)

/* partition::phase, with the steps of take_over() and rebuild_once() in between */
#define AWAY 0
#define COMMITTING_OWNER 1
#define RAISING 2
#define REPLACING 3 /* raise_head() has raised a head of another server */
#define COMMITTING_MARKER 4
#define OPEN 5
#define REBUILDING 6
#define COMMITTING_REBUILT 7
#define LOST 8

/* where a record is in its owner's memory */
#define ABSENT 0
#define INHERITED 1
#define QUEUED 2
#define ASKED 3 /* a claim was asked for, and no answer came */
#define TAKEN 4 /* Redis has noted the claim, its answer is on the way */
#define CLAIMED 5
#define FLYING 6 /* the last bytes are out */
#define ANSWERED_YES 7
#define ANSWERED_NO 8
#define CUT 9 /* no answer will come */
#define SETTLED 10

/* a claim in Redis: nothing, the number of its owner, or what the gateway answered */
#define NO_CLAIM 0
#define OUTCOME_YES 14
#define OUTCOME_NO 15

/* events, as a set */
#define ACCEPTED 1
#define FAILED 2
#define IN_DOUBT 4
#define AWAITING 8

#define IDLE 0
#define PENDING 1 /* the coordinator has the offsets, the end of the transaction is under way */
#define UNKNOWN 2 /* the same, and its answer is lost */
#define DECIDED_YES 3
#define DECIDED_NO 4

typedef checkpoint_t {
    byte owner;
    byte transaction; /* modulo 4: more than may fail in a row */
    byte mark;
    byte settled; /* bit r: record r; the low water is the first that is not set */
    byte end;
    byte lost_below
}

typedef process_t {
    byte phase;
    byte member;      /* the generation of the membership */
    checkpoint_t now; /* partition, as it would be committed */
    byte sendable;    /* window::committed_end_ */
    byte inherited;   /* window::inherited_end() */
    bit must_commit;
    bit before_head;  /* the commit under way was begun before the head was written: title::last_before_head */
    byte head_mark;   /* partition::head; its owner is now.owner */
    byte head_server;
    byte connected;   /* to which server; another one than runs now: the connection is cut */
    byte fresh;       /* of raise_head() */
    byte record[RECORDS];
    byte open_claim[RECORDS];
    byte awaiting; /* bit r: settled before its answer */
    byte outbox[RECORDS];
    byte closing; /* bit r: settled, and not yet said in a commit */
    byte commit;
    checkpoint_t said;
    byte said_events[RECORDS];
    byte said_closing
}

process_t proc[2];

/* Kafka: the group, the committed offset with its metadata, the topic `events` */
byte generation = 1;
byte assigned = 0;
checkpoint_t committed;
byte events[RECORDS];
byte settlements[RECORDS];

/* Redis */
byte server = 1;
byte head_owner = 0; /* 0: there is no head */
byte head_mark = 0;
byte head_server = 0;
byte claim[RECORDS];
byte markers = 0; /* of new_marker() */
byte late_raise = 0; /* a command on a connection that was given up may be carried out yet: its owner */
byte late_mark = 0;

/* its file */
byte file_owner = 0;
byte file_mark = 0;
byte file_server = 0;
byte file_claim[RECORDS];
bit saved = 0;

/* what the gateway has accepted */
byte accepted[RECORDS];

byte i = RECORDS; /* of loops inside one step; the same after each */

byte handovers = HANDOVERS;
byte losses = LOSSES;
byte odd_commits = ODD_COMMITS;
byte spare_commits = SPARE_COMMITS;
byte lost_replies = LOST_REPLIES;

#define me proc[p]
#define is_raising (me.phase == RAISING || me.phase == REPLACING)
#define reaches_redis (me.connected == server)
#define head_is_mine (head_owner == me.now.owner && head_mark == me.head_mark)
#define in_transaction(q) (proc[q].commit == PENDING || proc[q].commit == UNKNOWN)

#define is_at(r, where) (me.record[r] == where)
#define is_out(r) (me.record[r] >= CLAIMED && me.record[r] <= CUT)
#if RECORDS > 1
#define has_news (me.outbox[0] != 0 || me.outbox[1] != 0)
#else
#define has_news (me.outbox[0] != 0)
#endif

#ifdef BUG_FRESH_METADATA
#define may_commit (me.phase != LOST)
#else
#define may_commit (me.phase != LOST && me.member == generation)
#endif

/* window::settle() with outbox: the event and the bit travel together. */
inline settle(r, what) {
    me.record[r] = SETTLED;
    me.outbox[r] = me.outbox[r] | what;
    me.now.settled = me.now.settled | bit_of(r);
    me.closing = me.closing | bit_of(r)
}

/* outcomes::settle() for an answer that came: as evidence only when the range has gone on without it. */
inline settle_answer(r, what) {
    if
    :: me.awaiting & bit_of(r) || me.phase == LOST ->
        me.record[r] = SETTLED;
        me.outbox[r] = me.outbox[r] | what
    :: else ->
        settle(r, what)
    fi
}

inline note(r, outcome) {
    if
    :: me.phase != LOST ->
        if
        :: me.open_claim[r] != NO_CLAIM -> me.open_claim[r] = outcome
        :: else
        fi;
        if
        :: reaches_redis && claim[r] == me.now.owner -> claim[r] = outcome /* note_script */
        :: else
        fi
    :: else
    fi
}

/* lose(), and give_up() of what was lost: what is out is finished, all else is the next owner's.
 * keep_evidence_only_of_lost(): an acceptance is true whoever owns the partition. */
inline lose() {
    me.phase = LOST;
    for (i : 0 .. RECORDS - 1) {
        if
        :: me.record[i] < CLAIMED || me.record[i] == SETTLED -> me.record[i] = ABSENT
        :: else
        fi;
        if
        :: me.awaiting & bit_of(i)
        :: else -> me.outbox[i] = me.outbox[i] & ACCEPTED
        fi;
        me.open_claim[i] = NO_CLAIM
    }
    me.closing = 0;
    me.must_commit = 0;
    /* nobody asks for these any more */
    me.fresh = 0;
    me.head_mark = 0;
    me.head_server = 0;
    me.sendable = 0;
    me.inherited = 0;
    me.now.mark = 0;
    me.now.settled = 0;
    me.now.end = 0;
    me.now.lost_below = 0
}

/* The memory of a process that ends. */
inline forget(p) {
    for (i : 0 .. RECORDS - 1) {
        me.record[i] = ABSENT;
        me.open_claim[i] = NO_CLAIM;
        me.outbox[i] = 0
    }
    me.phase = AWAY;
    me.member = 0;
    me.sendable = 0;
    me.inherited = 0;
    me.must_commit = 0;
    me.head_mark = 0;
    me.head_server = 0;
    me.connected = 0;
    me.fresh = 0;
    me.awaiting = 0;
    me.closing = 0;
    clear_checkpoint(me.now)
}

inline clear_checkpoint(c) {
    c.owner = 0;
    c.transaction = 0;
    c.mark = 0;
    c.settled = 0;
    c.end = 0;
    c.lost_below = 0
}

inline copy_checkpoint(to, from) {
    to.owner = from.owner;
    to.transaction = from.transaction;
    to.mark = from.mark;
    to.settled = from.settled;
    to.end = from.end;
    to.lost_below = from.lost_below
}

/* claims::drop_below(): one record a block, which forgets soonest. */
inline drop_blocks(below) {
    i = 0;
    do
    :: i < RECORDS && below & bit_of(i) ->
        if
        :: reaches_redis -> claim[i] = NO_CLAIM
        :: else
        fi;
        me.open_claim[i] = NO_CLAIM;
        i++
    :: else -> break
    od;
    i = RECORDS
}

/* The coordinator ends the transaction of process q. */
inline carry_out(q) {
    copy_checkpoint(committed, proc[q].said);
    for (i : 0 .. RECORDS - 1) {
        events[i] = events[i] | proc[q].said_events[i];
        if
        :: proc[q].said_closing & bit_of(i) ->
            settlements[i]++;
            assert(settlements[i] <= 1) /* one settlement: one event, one retry record */
        :: else
        fi
    }
}

inline end_transaction(q, how) {
    for (i : 0 .. RECORDS - 1) { proc[q].said_events[i] = 0 }
    clear_checkpoint(proc[q].said);
    proc[q].said_closing = 0;
    proc[q].before_head = 0;
    proc[q].commit = how
}

/* commit_now(): everything that is settled, with its events, and the range. */
inline begin_commit() {
    if
    :: me.phase == OPEN && me.now.end < RECORDS -> me.now.end++ /* reserve_due() */
    :: else
    fi;
    me.now.transaction = (me.now.transaction + 1) % 4;
    copy_checkpoint(me.said, me.now);
    me.said_closing = me.closing;
    me.closing = 0;
    for (i : 0 .. RECORDS - 1) {
        me.said_events[i] = me.outbox[i];
        me.outbox[i] = 0
    }
    me.before_head = 0;
    me.commit = PENDING;
#ifdef BUG_BLOCK_DROPPED_EARLY
    drop_blocks(me.said.settled);
#endif
#ifdef BUG_SENDABLE_EARLY
    me.sendable = me.said.end;
#endif
}

/* commit_now() after `committed`. */
inline know_committed() {
    if
    :: me.before_head /* title::heard() */
    :: else -> me.must_commit = 0
    fi;
    if
    :: me.said.end > me.sendable -> me.sendable = me.said.end
    :: else
    fi;
    drop_blocks(me.said.settled);
    end_transaction(p, IDLE)
}

/* commit_now() after `aborted`: the outbox has it again. */
inline know_aborted() {
    for (i : 0 .. RECORDS - 1) {
        if
        :: me.phase != LOST || (me.awaiting & bit_of(i)) -> me.outbox[i] = me.outbox[i] | me.said_events[i]
        :: else -> me.outbox[i] = me.outbox[i] | (me.said_events[i] & ACCEPTED)
        fi
    }
    if
    :: me.phase != LOST -> me.closing = me.closing | me.said_closing; me.must_commit = 1
    :: else
    fi;
    end_transaction(p, IDLE)
}

/* rebuild_script without claims: a new incarnation of the register begins. */
inline write_head(m) {
    head_owner = me.now.owner;
    head_mark = m;
    head_server = me.connected
}

/* What the next commit must say, before anything is claimed under this head. */
inline believe_head(m) {
    me.now.mark = m;
    me.head_mark = m;
    me.head_server = me.connected;
    me.before_head = (me.commit != IDLE);
    me.must_commit = 1
}

inline accept(r) {
    accepted[r]++;
    assert(accepted[r] <= 1) /* nobody is told twice */
}

inline kill(p) {
    if
    :: proc[p].commit == DECIDED_YES || proc[p].commit == DECIDED_NO -> end_transaction(p, IDLE)
    :: else
    fi;
    forget(p)
}

proctype dispatcher(byte p) {
end:
    do
    /* ---- take_over() ---- */

    /* The membership once, at assignment; committed() answers only when no transaction is undecided, and init() ends
     * those of this process' former life. */
    :: d_step { me.phase == AWAY && assigned == p && me.commit == IDLE && !in_transaction(1 - p) ->
        printf("%d: takes over, reads the committed range\n", p);
        me.member = generation;
        copy_checkpoint(me.now, committed);
        me.now.owner++;
        me.sendable = committed.end;
        me.inherited = committed.end;
        me.must_commit = 1;
        me.connected = server;
        me.phase = COMMITTING_OWNER }

    /* 1. the range unchanged, under the next owner number: begin_commit() below, then */
    :: d_step { me.phase == COMMITTING_OWNER && me.commit == IDLE && !me.must_commit ->
        printf("%d: owner %d is committed\n", p, me.now.owner);
        me.phase = RAISING }

    /* 2. raise_head(): raise_script */
    :: d_step { me.phase == RAISING && reaches_redis ->
        if
        :: head_owner == 0 ->
            printf("%d: raise: there was no head; owner %d, marker %d\n", p, me.now.owner, markers + 1);
            markers++;
            write_head(markers);
            me.now.lost_below = me.inherited;
            believe_head(markers);
            me.phase = COMMITTING_MARKER
#ifndef BUG_HEAD_SET
        :: head_owner > me.now.owner ->
            lose()
#endif
        :: else ->
            printf("%d: raise: owner %d over %d, marker %d\n", p, me.now.owner, head_owner, head_mark);
            head_owner = me.now.owner;
            if
#ifndef BUG_SERVER_NOT_COMPARED
            :: head_server != me.connected ->
                markers++;
                me.fresh = markers;
                me.phase = REPLACING
#endif
            :: else ->
#ifndef BUG_MARKER_NOT_COMPARED
                if
                :: head_mark != me.now.mark -> me.now.lost_below = me.inherited
                :: else
                fi;
#endif
                believe_head(head_mark);
                me.phase = COMMITTING_MARKER
            fi
        fi }
    /* Its connection breaks, and the command is carried out sooner or later. */
    :: d_step { me.phase == RAISING && reaches_redis && lost_replies > 0 && late_raise == 0 ->
        printf("%d: raise: no answer, and it is carried out later\n", p);
        lost_replies--;
        markers++;
        late_raise = me.now.owner;
        late_mark = markers }
    /* A Redis that came back from an old file keeps keys and loses claims. */
    :: d_step { me.phase == REPLACING && reaches_redis ->
        if
        :: head_owner > me.now.owner -> lose()
        :: else ->
            printf("%d: replaces the head of another server, marker %d\n", p, me.fresh);
            write_head(me.fresh);
            me.now.lost_below = me.inherited;
            believe_head(me.fresh);
            me.fresh = 0;
            me.phase = COMMITTING_MARKER
        fi }
    :: d_step { me.phase == REPLACING && !reaches_redis -> me.fresh = 0; me.phase = RAISING }

    /* 3. a successful commit after any write of a head, 4. only now read and claim. on_records() sorts. */
    :: d_step { me.phase == COMMITTING_MARKER &&
#ifndef BUG_NO_COMMIT_AFTER_HEAD
        me.commit == IDLE && !me.must_commit &&
#endif
        true ->
        for (i : 0 .. RECORDS - 1) {
            if
            :: me.now.settled & bit_of(i) -> me.record[i] = SETTLED
            :: else ->
                if
                :: i < me.inherited -> me.record[i] = INHERITED
                :: else -> me.record[i] = QUEUED
                fi
            fi
        }
        printf("%d: open, marker %d\n", p, me.head_mark);
        me.phase = OPEN }

    /* ---- the transaction ---- */

    /* commit_once(): the coordinator takes offsets of the present generation only. A refusal changes nothing. While the
     * heads are raised others commit as well: records arrive, and the range moves on over what is settled. */
    :: d_step { me.phase != AWAY && !is_raising && me.commit == IDLE && may_commit &&
        (me.must_commit || me.closing || has_news || (me.phase == OPEN && me.now.end < RECORDS)) ->
        printf("%d: commit begins\n", p);
        begin_commit() }
    :: d_step { is_raising && me.commit == IDLE && may_commit && spare_commits > 0 ->
        printf("%d: commit begins, while its head is raised\n", p);
        spare_commits--;
        begin_commit() }
    :: d_step { me.commit == PENDING && me.phase != AWAY ->
        printf("%d: committed, and knows it\n", p);
        carry_out(p);
        know_committed() }
    :: d_step { me.commit == PENDING && me.phase != AWAY && odd_commits > 0 ->
        printf("%d: commit aborted\n", p);
        odd_commits--;
        know_aborted() }
    :: d_step { me.commit == PENDING && me.phase != AWAY && odd_commits > 0 ->
        printf("%d: commit of unknown outcome\n", p);
        odd_commits--;
        me.commit = UNKNOWN }
    /* producer.rebuild(): what was in flight is decided, one way or the other. */
    :: d_step { me.commit == UNKNOWN && me.phase != AWAY ->
        printf("%d: that commit is carried out\n", p);
        carry_out(p);
        me.commit = DECIDED_YES }
    :: d_step { me.commit == UNKNOWN && me.phase != AWAY ->
        printf("%d: that commit is not carried out\n", p);
        me.commit = DECIDED_NO }
    /* read_back(): what stands in Kafka tells which. */
    :: d_step { (me.commit == DECIDED_YES || me.commit == DECIDED_NO) && me.phase != AWAY && !in_transaction(1 - p) ->
        printf("%d: reads back\n", p);
        if
#ifdef BUG_UNKNOWN_IS_COMMITTED
        :: true -> know_committed()
#endif
#ifdef BUG_UNKNOWN_IS_ABORTED
        :: true -> know_aborted()
#endif
#if !defined(BUG_UNKNOWN_IS_COMMITTED) && !defined(BUG_UNKNOWN_IS_ABORTED)
        :: committed.owner == me.said.owner && committed.transaction == me.said.transaction -> know_committed()
        :: committed.owner > me.said.owner ->
            if
            :: me.phase != LOST -> lose()
            :: else
            fi;
            know_aborted()
        :: else -> know_aborted()
#endif
        fi }
    /* A process that died in its transaction: the coordinator decides without it. */
    :: d_step { me.phase == AWAY && me.commit != IDLE && in_transaction(p) ->
        printf("%d (dead): its commit is carried out\n", p);
        carry_out(p);
        end_transaction(p, IDLE) }
    :: d_step { me.phase == AWAY && me.commit != IDLE ->
        printf("%d (dead): its commit is aborted\n", p);
        end_transaction(p, IDLE) }

    /* ---- the head ---- */

    /* tick(): another server, or one that came back from its file */
    :: d_step { me.phase == OPEN && reaches_redis && me.connected != me.head_server ->
        printf("%d: another server: rebuild\n", p);
        me.phase = REBUILDING }
    /* rebuild_once(): the new head with all open claims, over no larger owner. Answers come in the order of what was
     * asked: none to a claim is still on the way. */
    :: d_step { me.phase == REBUILDING && reaches_redis && !is_at(0, TAKEN) && !is_at(RECORDS - 1, TAKEN) ->
        if
#ifndef BUG_HEAD_SET
        :: head_owner > me.now.owner -> lose()
#endif
        :: else ->
            printf("%d: writes head and open claims anew: owner %d over %d, marker %d\n", p, me.now.owner, head_owner, markers + 1);
            markers++;
            head_owner = me.now.owner;
            head_mark = markers;
            head_server = me.connected;
            for (i : 0 .. RECORDS - 1) {
                if
                :: me.record[i] == INHERITED -> me.now.lost_below = me.inherited /* claims that we have not read */
                :: else
                fi;
#ifndef BUG_CLAIMS_NOT_REWRITTEN
                if
                :: me.open_claim[i] != NO_CLAIM -> claim[i] = me.open_claim[i]
                :: else
                fi
#endif
            }
            believe_head(markers);
            me.phase = COMMITTING_REBUILT
        fi }
    :: d_step { me.phase == COMMITTING_REBUILT &&
#ifndef BUG_NO_COMMIT_AFTER_HEAD
        me.commit == IDLE && !me.must_commit &&
#endif
        true ->
        if
        :: me.connected == me.head_server -> printf("%d: open again\n", p); me.phase = OPEN
        :: else -> me.phase = REBUILDING
        fi }

    /* ---- the connection to Redis, the group ---- */

    :: d_step { me.phase != AWAY && !reaches_redis ->
        printf("%d: connects to Redis anew\n", p);
        for (i : 0 .. RECORDS - 1) {
            if
            :: me.record[i] == TAKEN -> me.record[i] = ASKED
            :: else
            fi
        }
        me.connected = server }
    /* It learns that the group has given its partition away: sooner or later. */
    :: d_step { me.phase != AWAY && me.phase != LOST && me.member != generation ->
        printf("%d: hears that its partition was given away\n", p);
        lose() }
    /* Evidence alone, without offsets: no generation refuses it, and its ids make a repetition harmless. */
    :: d_step { me.phase == LOST && me.commit == IDLE && has_news ->
        printf("%d: tells evidence about what is another's now\n", p);
        for (i : 0 .. RECORDS - 1) {
            events[i] = events[i] | me.outbox[i];
            me.outbox[i] = 0
        }
        skip }
    :: d_step { me.phase == LOST && me.commit == IDLE && !has_news && !is_out(0) && !is_out(RECORDS - 1) ->
        forget(p) }
    od
}

/* One record in the hands of one process: decide_inherited(), courier::deliver() with its steps. */
proctype message(byte p; byte r) {
end:
    do
    /* decide(): an outcome is true even if it comes out of an old file; that there is no claim says something only if
     * none was lost. */
    :: d_step { me.phase == OPEN && me.record[r] == INHERITED && reaches_redis && me.connected == me.head_server ->
        if
        :: !head_is_mine -> /* a FLUSHALL leaves the server's identity as it was */
            printf("%d: looks record %d up: stale\n", p, r);
            me.phase = REBUILDING
        :: else ->
            printf("%d: looks record %d up: claim %d\n", p, r, claim[r]);
            if
            :: claim[r] == OUTCOME_YES -> settle(r, ACCEPTED)
            :: claim[r] == OUTCOME_NO -> settle(r, FAILED)
            :: claim[r] == NO_CLAIM && r >= me.now.lost_below -> me.record[r] = QUEUED
#ifdef BUG_CLAIMED_IS_UNSENT
            :: claim[r] != NO_CLAIM && claim[r] < OUTCOME_YES -> claim[r] = NO_CLAIM; me.record[r] = QUEUED
#endif
            :: else -> settle(r, IN_DOUBT)
            fi
        fi }

    /* courier::claim(): take_script. Only what lies below a committed end may be sent (window::sendable()). */
    :: d_step { me.phase == OPEN && (me.record[r] == QUEUED || me.record[r] == ASKED) && r < me.sendable && reaches_redis ->
        if
#ifndef BUG_CLAIMED_ON_ANY_SERVER
        :: me.connected != me.head_server -> printf("%d: claim of record %d: another server\n", p, r); me.phase = REBUILDING
#endif
#ifndef BUG_CLAIMED_UNDER_ANY_HEAD
        :: !head_is_mine -> printf("%d: claim of record %d: stale\n", p, r); me.phase = REBUILDING
#endif
        :: else ->
            printf("%d: claim of record %d over %d\n", p, r, claim[r]);
            if
            :: claim[r] == NO_CLAIM || (claim[r] == me.now.owner && me.record[r] == ASKED) ->
                claim[r] = me.now.owner;
                me.record[r] = TAKEN
            :: else -> settle(r, IN_DOUBT)
            fi
        fi }
    /* The answer is lost, and the claim stands. */
    :: d_step { me.phase == OPEN && (me.record[r] == QUEUED || me.record[r] == ASKED) && r < me.sendable && reaches_redis &&
        me.connected == me.head_server && head_is_mine && claim[r] == NO_CLAIM && lost_replies > 0 ->
        printf("%d: claim of record %d: taken, and the answer is lost\n", p, r);
        lost_replies--;
        claim[r] = me.now.owner;
        me.record[r] = ASKED }
    /* courier::claim(): noted among the open claims in the same breath. */
    :: d_step { me.record[r] == TAKEN ->
        if
        :: me.phase == REBUILDING || me.phase == COMMITTING_REBUILT ->
            me.record[r] = ASKED /* the rebuild began before the answer was heard, and has left this claim out */
        :: else ->
            me.open_claim[r] = me.now.owner;
            me.record[r] = CLAIMED
        fi }
    :: d_step { me.record[r] == CLAIMED ->
        if
        :: me.phase == LOST -> me.record[r] = ABSENT
        :: else -> printf("%d: the last bytes of record %d go\n", p, r); me.record[r] = FLYING
        fi }
#ifdef BUG_LAST_BYTES_BEFORE_CLAIM
    :: d_step { me.phase == OPEN && me.record[r] == QUEUED && r < me.sendable ->
        printf("%d: the last bytes of record %d go, unclaimed\n", p, r);
        me.record[r] = FLYING }
#endif

    /* the gateway: accepts, refuses for good, or the connection breaks before or after it has accepted */
    :: d_step { me.record[r] == FLYING ->
        printf("gateway: accepts record %d of %d\n", r, p);
        accept(r);
        me.record[r] = ANSWERED_YES }
    :: d_step { me.record[r] == FLYING ->
        printf("gateway: refuses record %d of %d\n", r, p);
        me.record[r] = ANSWERED_NO }
    :: d_step { me.record[r] == FLYING ->
        printf("gateway: never hears of record %d of %d\n", r, p);
        me.record[r] = CUT }
    :: d_step { me.record[r] == ANSWERED_YES ->
        printf("gateway: its answer to record %d of %d is lost\n", r, p);
        me.record[r] = CUT }

    /* settle_awaiting(): the range does not wait for an answer */
    :: d_step { me.phase != LOST && is_out(r) && me.record[r] != CLAIMED && !(me.awaiting & bit_of(r)) ->
        printf("%d: settles record %d as awaiting\n", p, r);
        me.awaiting = me.awaiting | bit_of(r);
        me.outbox[r] = me.outbox[r] | AWAITING;
        me.now.settled = me.now.settled | bit_of(r);
        me.closing = me.closing | bit_of(r) }

    /* courier::release(): the outcome beside the claim, and the settlement */
    :: d_step { me.record[r] == ANSWERED_YES ->
        printf("%d: hears the answer to record %d\n", p, r);
        note(r, OUTCOME_YES); settle_answer(r, ACCEPTED) }
    :: d_step { me.record[r] == ANSWERED_NO ->
        printf("%d: hears the answer to record %d\n", p, r);
        note(r, OUTCOME_NO); settle_answer(r, FAILED) }
    :: d_step { me.record[r] == CUT ->
        printf("%d: its connection is cut, record %d in doubt\n", p, r);
        settle_answer(r, IN_DOUBT) }
    od
}

/* What may go wrong, each so often. */
proctype world() {
    do
    :: d_step { handovers > 0 && proc[0].phase != AWAY ->
        printf("kill 0\n");
        handovers--;
        kill(0) }
    :: d_step { handovers > 0 && proc[1].phase != AWAY ->
        printf("kill 1\n");
        handovers--;
        kill(1) }
    :: d_step { handovers > 0 ->
        printf("the group gives the partition to %d\n", 1 - assigned);
        handovers--;
        generation++;
        assigned = 1 - assigned }
    /* FLUSHALL: nothing is left, and the server is the same */
    :: d_step { losses > 0 && head_owner != 0 ->
        printf("FLUSHALL\n");
        for (i : 0 .. RECORDS - 1) { claim[i] = NO_CLAIM }
        losses--;
        head_owner = 0;
        head_mark = 0;
        head_server = 0 }
    /* BGSAVE, and a restart from what it wrote (or from nothing) */
    :: d_step { losses > 0 && !saved && head_owner != 0 ->
        printf("BGSAVE\n");
        for (i : 0 .. RECORDS - 1) { file_claim[i] = claim[i] }
        saved = 1;
        file_owner = head_owner;
        file_mark = head_mark;
        file_server = head_server }
    :: d_step { losses > 0 && head_owner != 0 ->
        printf("Redis restarts from its file\n");
        losses--;
        server++;
        head_owner = file_owner;
        head_mark = file_mark;
        head_server = file_server;
        late_raise = 0;
        late_mark = 0;
        for (i : 0 .. RECORDS - 1) { claim[i] = file_claim[i]; file_claim[i] = NO_CLAIM }
        saved = 0;
        file_owner = 0;
        file_mark = 0;
        file_server = 0 }
    :: d_step { late_raise != 0 ->
        printf("a late raise by owner %d is carried out\n", late_raise);
        if
        :: head_owner == 0 ->
            head_owner = late_raise;
            head_mark = late_mark;
            head_server = server
#ifndef BUG_HEAD_SET
        :: head_owner > late_raise
#endif
        :: else -> head_owner = late_raise
        fi;
        late_raise = 0;
        late_mark = 0 }
    :: break
    od
}

/* When nothing can happen any more. */
proctype judge() {
    timeout;
    d_step {
        for (i : 0 .. RECORDS - 1) {
            assert(settlements[i] == 1); /* nobody is lost, and nothing stands still */
            assert(events[i] != 0);
            assert(!(events[i] & ACCEPTED) || accepted[i] == 1);
            assert(!(events[i] & FAILED) || accepted[i] == 0);
            assert(accepted[i] == 0 || events[i] & (ACCEPTED | IN_DOUBT | AWAITING))
        }
        assert(committed.settled == EVERYTHING)
    }
}

init {
    atomic {
        run dispatcher(0);
        run dispatcher(1);
        run message(0, 0);
        run message(1, 0);
#if RECORDS > 1
        run message(0, 1);
        run message(1, 1);
#endif
        run world();
        run judge()
    }
}
