/* Who carries the message of an address that several rows have, in one wave or in several.
 *
 * Two waves, one address in each of them (twice in the first, in different partitions), uploads that take their time,
 * a register in Redis that may be lost, releases that are one transaction each. Whatever the order: exactly one row
 * carries the message, and a segment that comes later is told once, as a supplement. With SLOW a second channel has the
 * same address, and its messages may leave later than the rows: the same must hold there.
 *
 * Each step says which function it is. Bounds and mistakes (-DBUG_...): README.md.
 */

#ifndef LOSSES /* of Redis: the register and its head */
#define LOSSES 2
#endif

#ifndef SLOW /* whether there is a second channel, which may stay behind */
#define SLOW 0
#endif

#if defined(BUG_NUMBER_AT_UPLOAD) || defined(BUG_LOWER_RELEASED_LATE)
#define NUMBER_AT_UPLOAD
#endif

#define ROWS 3 /* rows 0 and 1 of the upload FIRST, row 2 of the upload SECOND */
#define FIRST 0
#define SECOND 1
#define upload_of(r) ((r) / 2)
#define NONE 9

/* an upload, then a wave */
#define ABSENT 0
#define UPLOADING 1
#define IMPORTED 2
#define SEALED 3
#define LAUNCHED 4

byte phase[2];
byte number[2]; /* of the wave; 0: it has none yet */
byte numbers = 0;

/* Kafka: what is released, of each row */
bit released[ROWS];
bit after[2]; /* Progress.after: the other wave came before this one, and was registered when it began */
byte carried = 0;      /* messages with everything */
byte supplements = 0;  /* messages with only what is new */
bit segment_told = 0;  /* the segment of row 2 */
#if SLOW
bit gap[ROWS]; /* the row is told of, and its message on the slow channel is not released */
byte slow_carried = 0;
byte slow_supplements = 0;
bit slow_segment_told = 0;
#endif

/* Redis: head and register; by wave number: the smallest row that has the address */
byte head = 1; /* the marker; 0: none */
byte markers = 1;
bit registered[ROWS]; /* its entry is there, under this head */
bit complete[ROWS];   /* its span is marked in the head */

byte losses = LOSSES;

#define is_sealed(u) (phase[u] >= SEALED)
#define before(u, v) (number[u] != 0 && number[u] < number[v])

/* required_for(): all spans of this and of all earlier waves; none that is known may still be unsealed */
#define required(u, v) (!before(v, u) || phase[v] < IMPORTED || (is_sealed(v) && all_complete(v)))
/* decided_without(): wave v has released rows and knew nothing of wave u, which comes before it */
#define comes_too_late(u, v) (before(u, v) && has_progress(v) && !after[v])
#define all_complete(u) ((u == FIRST && complete[0] && complete[1]) || (u == SECOND && complete[2]))
#define has_entry(u) ((u == FIRST && (registered[0] || registered[1])) || (u == SECOND && registered[2]))
#define has_progress(u) ((u == FIRST && (released[0] || released[1])) || (u == SECOND && released[2]))

/* An operator: the two uploads in any order. */
proctype operator(byte u) {
    d_step {
        printf("upload %d begins\n", u);
        phase[u] = UPLOADING;
#ifdef NUMBER_AT_UPLOAD
        numbers++;
        number[u] = numbers
#endif
    }
    /* the import enters `control`: only now the wave has a number, so that their order cannot turn */
    d_step {
        printf("wave of upload %d is imported\n", u);
#ifndef NUMBER_AT_UPLOAD
        numbers++;
        number[u] = numbers;
#endif
        phase[u] = IMPORTED
    }
    /* seal takes the waves that are imported: an upload that is still under way is not among them */
    d_step { printf("wave of upload %d is sealed\n", u); phase[u] = SEALED }
    d_step { printf("wave of upload %d is launched\n", u); phase[u] = LAUNCHED }
}

/* registrar: entry first, then its mark; both compare the head's marker. */
proctype registrar(byte r) {
    byte mine;
end:
    do
    :: d_step { is_sealed(upload_of(r)) && head != 0 && mine != head ->
        mine = head } /* store_.open() */
    :: d_step { is_sealed(upload_of(r)) && mine != 0 && mine == head && !registered[r] ->
        printf("row %d is registered\n", r);
        registered[r] = 1 }
    :: d_step { mine != 0 && mine == head && registered[r] && !complete[r] ->
        printf("row %d's span is complete\n", r);
        complete[r] = 1 }
    od
}

#if SLOW
#define to_do(r) (!released[r] || gap[r])
/* decide() for the slow channel */
inline tell_slow(r, leader, told_earlier) {
    if
    :: leader == r && !told_earlier ->
        printf("row %d carries the message on the slow channel\n", r);
        slow_carried++;
        assert(slow_carried <= 1);
        slow_segment_told = slow_segment_told || r == 2
    :: leader == r && told_earlier && r == 2 ->
        printf("row %d carries a supplement on the slow channel\n", r);
        slow_supplements++;
        slow_segment_told = 1
    :: else -> skip
    fi
}
#else
#define to_do(r) (!released[r])
#endif

#ifdef BUG_NO_BARRIER
#define barrier(r) registered[r]
#elif defined(BUG_GAP_WITHOUT_BARRIER)
#define barrier(r) ((gap[r] && registered[r]) || whole(r))
#else
#define barrier(r) whole(r)
#endif
#define whole(r) (head != 0 && all_complete(upload_of(r)) && required(upload_of(r), (1 - upload_of(r))))

/* releaser: look up under the head (prepare()), compare it again (confirm()), commit (emit()). First the row, which is
 * told of and leaves a gap on the slow channel or not; then what is in the gap. */
proctype releaser(byte r) {
    byte under = 0;
    byte leader = NONE;
    bit told_earlier = 0;
    bit knew_lower = 0; /* of the version of the campaign that it was looked up for */
#if SLOW
    bit room; /* the slow channel has some */
#endif
end:
    do
    :: d_step { phase[upload_of(r)] == LAUNCHED && to_do(r) && under == 0 && barrier(r) &&
#ifndef BUG_LOWER_RELEASED_LATE
        !comes_too_late(upload_of(r), (1 - upload_of(r))) &&
#endif
        true ->
        under = head;
        knew_lower = before((1 - upload_of(r)), upload_of(r)) && is_sealed((1 - upload_of(r)));
        leader = ((upload_of(r) == FIRST && registered[0]) -> 0 : r);
        told_earlier = before((1 - upload_of(r)), upload_of(r)) && has_entry((1 - upload_of(r)));
        printf("row %d: looked up: leader %d, told earlier %d\n", r, leader, told_earlier) }
#if SLOW
    :: under != 0 && !released[r] && !room -> room = 1
#endif
    /* confirm(), and the transaction: decide() */
    :: d_step { under != 0 ->
        if
        :: under != head -> printf("row %d: the head has changed\n", r)
#if SLOW
        :: under == head && gap[r] ->
            tell_slow(r, leader, told_earlier);
            gap[r] = 0
#endif
        :: else ->
#if SLOW
            if
            :: room -> tell_slow(r, leader, told_earlier)
            :: else ->
#ifndef BUG_GAP_FORGOTTEN
                gap[r] = 1
#else
                skip
#endif
            fi;
#endif
            if
            :: has_progress(upload_of(r))
            :: else -> after[upload_of(r)] = knew_lower
            fi;
            released[r] = 1;
            if
            :: leader == r && !told_earlier ->
                printf("row %d carries the message\n", r);
                carried++;
                assert(carried <= 1);
                segment_told = segment_told || r == 2
            :: leader == r && told_earlier && r == 2 ->
                printf("row %d carries a supplement\n", r);
                supplements++;
                segment_told = 1
            :: else -> printf("row %d is covered\n", r)
            fi
        fi;
        under = 0;
        leader = NONE;
        told_earlier = 0;
#if SLOW
        room = 0;
#endif
        knew_lower = 0 }
    od
}

/* Redis forgets; plan raises a new head, under which everything is registered again. */
proctype redis() {
    byte i;
    do
    :: d_step { losses > 0 ->
        printf("Redis loses the register\n");
        losses--;
        for (i : 0 .. ROWS - 1) {
            registered[i] = 0;
            complete[i] = 0
        }
        i = 0;
        head = 0 }
    :: d_step { head == 0 -> markers++; head = markers } /* raise_head */
    :: head != 0 && losses == 0 -> break
    od
}

/* When nothing can happen any more. */
proctype judge() {
    timeout;
    d_step {
        assert(released[0] && released[1] && released[2]); /* nobody is left out */
        assert(carried == 1);
        assert(supplements <= 1);
        assert(segment_told);
#if SLOW
        assert(!gap[0] && !gap[1] && !gap[2]);
        assert(slow_carried == 1);
        assert(slow_supplements <= 1);
        assert(slow_segment_told);
#endif
    }
}

init {
    atomic {
        run operator(FIRST);
        run operator(SECOND);
        run registrar(0);
        run registrar(1);
        run registrar(2);
        run releaser(0);
        run releaser(1);
        run releaser(2);
        run redis();
        run judge()
    }
}
