/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine of udma as a model for spin: two programs, two slots, three
 * transfers. What is modelled, and what is not, is told in
 * Documentation/model.rst; "make check-model" runs it.
 *
 * A d_step, or an atomic, is what the code does under the engine's lock. What
 * lies between two of them may be interleaved with everything else. Names are
 * those of the code where there is one.
 *
 * Parameters, by -D. What may happen, and how often:
 *   CANCELS TIMEOUTS RESETS CLOSES UNBINDS   what programs and root do
 *   REFUSALS ERRORS LOST HANGS UNHANGS       what hardware does
 *   SPURIOUS      resets by a watchdog that was too impatient
 *   PROVIDER      what terminate does; a sum of the T_ below
 *   FENCE         transfer 1 starts after transfer 0 has ended
 *   EXCL          one file has all, and a timeout is a reset at once
 *   UNORDERED     hardware ends descriptors in any order; a probe proves nothing
 *   BATCH         a program submits all it has in one call, not in one each
 *   PIECES        slices of transfer 0, 1 or 2
 *   ALONE         strikes after which a program runs alone
 *
 * And rules that can be taken out, each of which has to make an assertion fail:
 * NO_AGAIN NO_EPOCH NO_PROBE NO_MARK_FIRST NO_REF RETIRE_LATE BLAME_LATE. KEEP
 * bounds the late callbacks that are of no use to anybody.
 */

#define T_STOPS		1	/* stops hardware */
#define T_ABORTS	2	/* and calls back with ABORTED, some time */
#define T_LIES		4	/* and calls back with NOERROR, nothing moved */
#define T_GHOST		8	/* says 0, calls nothing back, and the copy goes on */
#define T_DEAF		16	/* says 0, and everything goes on */
#define T_REFUSES	32	/* says -EIO or -ENOSYS, and everything goes on */

#ifndef CANCELS
#define CANCELS 0
#endif
#ifndef TIMEOUTS
#define TIMEOUTS 0
#endif
#ifndef RESETS
#define RESETS 0
#endif
#ifndef CLOSES
#define CLOSES 0
#endif
#ifndef UNBINDS
#define UNBINDS 0
#endif
#ifndef REFUSALS
#define REFUSALS 0
#endif
#ifndef ERRORS
#define ERRORS 0
#endif
#ifndef LOST
#define LOST 0
#endif
#ifndef HANGS
#define HANGS 0
#endif
#ifndef UNHANGS
#define UNHANGS 0
#endif
#ifndef SPURIOUS
#define SPURIOUS 0
#endif
#ifndef PROVIDER
#define PROVIDER T_STOPS
#endif
#ifndef FENCE
#define FENCE 0
#endif
#ifndef PIECES
#define PIECES 1
#endif
#ifndef KEEP
#define KEEP 1
#endif
#ifndef ALONE
#define ALONE 9
#endif

#define XFERS	3
#define SLOTS	2
#define FILES	2
#define NONE	SLOTS
/* The probe: a transfer and a slot of its own. */
#define PROBE	XFERS
#define EPOCHS	8
#define TICKETS	((SLOTS + 1) * EPOCHS)
#define TICKET(s, e)	((s) * EPOCHS + (e))
/* Descriptors that hardware can have: slots, and the probes that never came back. */
#define QUEUE	8

#ifdef EXCL
#define FILE(x)	0
#else
#define FILE(x)	((x) / 2)
#endif
#define SLICES(x)	((x) == 0 -> PIECES : 1)

/* enum udma_xfer_state, and what comes before and after */
#define X_NEW		0
#define X_QUEUED	1
#define X_ISSUED	2
#define X_ENDED		3

/* why a transfer ended, 0 for success */
#define ECANCELED	1
#define ETIMEDOUT	2
#define EIO		3
#define ENODEV		4

/* a slot; TAKEN is only there when NO_MARK_FIRST is broken */
#define S_FREE		0
#define S_ISSUED	1
#define S_RETIRED	2
#define S_REPLAY	3
#define S_HELD		4
#define S_TAKEN		5

/* the engine */
#define WORKING		0
#define RESETTING	1
#define FAILED		2

/* what a callback says */
#define C_NONE		0
#define C_OK		1
#define C_ERROR		2

/* Transfers. Their buffer is one each: refs are those of the buffer. */
byte x_state[XFERS];
byte x_status[XFERS];
byte x_left[XFERS];		/* slices not taken yet */
byte x_slots[XFERS];
bit x_queued[XFERS];
bit x_held[XFERS];		/* the event says HELD */
byte x_refs[XFERS] = 1;
bit x_sick[XFERS];		/* it hung or failed, or its callback was lost */

byte f_active[FILES];
byte f_strikes[FILES];
bit f_run[FILES];
bit f_closed[FILES];
bit f_inside[FILES] = 1;	/* inside a system call, so there is no release() */

byte s_state[SLOTS];
byte s_xfer[SLOTS];
byte s_slice[SLOTS];
byte s_epoch[SLOTS];
bit s_letgo[SLOTS];
bit first;			/* the slot that was issued earlier */

byte state;
bit running, again, work, stopped;
byte issued;			/* slots that are ISSUED */
byte epoch = 1;			/* 0 is none */
byte blame = NONE;		/* the slot that stalls, or NONE */

byte p_epoch;			/* of the last probe */
bit p_out;			/* it has not come back */
bit p_moved;			/* its pattern is there */
bit p_ok;			/* it came back, with its pattern */
bit terminated;			/* terminate was called, and did not say no */

/* What hardware has: transfer, slice, ticket, and whether nothing is told. */
chan hw = [QUEUE] of { byte, byte, byte, bit };
byte inhw[XFERS + 1];
byte moved[XFERS];		/* slices that were moved, as bits */
byte hung;			/* 1 + the transfer whose descriptor hangs */
byte cb[TICKETS];		/* callbacks to come */
byte cbs;
bit freed;			/* channel and engine are no more */
bit kept;			/* or held for ever */

/* What may still happen. */
byte n_cancel = CANCELS, n_timeout = TIMEOUTS, n_reset = RESETS, n_close = CLOSES,
	n_unbind = UNBINDS, n_refuse = REFUSALS, n_error = ERRORS, n_lose = LOST, n_hang = HANGS,
	n_unhang = UNHANGS, n_spurious = SPURIOUS;

/* Registers: always written before they are read, within one step. */
hidden byte rs, rx, rt, rn, hx, hk, ht, hq, hs, fx, ff, fs, ks, qf, ex;
/* The same over a choice, so they go back to 0. */
byte rf, rk, rl;

/* buffer */

inline buffer_put(x)
{
	assert(x_refs[x] > 0);
	x_refs[x]--;
	/* Memory that hardware may still use is never freed. */
	assert(x_refs[x] > 0 || inhw[x] == 0);
}

/* engine, what xfer needs of it */

#define QUEUE_EMPTY(f)	(!(FILE(0) == (f) && x_queued[0]) && !(FILE(1) == (f) && x_queued[1]) && \
			 !(FILE(2) == (f) && x_queued[2]))
#define REPLAYS		(s_state[0] == S_REPLAY || s_state[1] == S_REPLAY)
#define HELDS		(s_state[0] == S_HELD || s_state[1] == S_HELD)
#define RETIREDS	(s_state[0] == S_RETIRED || s_state[1] == S_RETIRED)

inline engine_kick()
{
	if
	:: stopped || (!f_run[0] && !f_run[1] && !REPLAYS) -> skip
	:: else ->
		if
#ifndef NO_AGAIN
		:: running -> again = 1
#else
		:: running -> skip
#endif
		:: else -> work = 1
		fi
	fi
}

inline first_without(s)
{
	first = (s_state[1 - (s)] == S_ISSUED -> 1 - (s) : 0)
}

inline slot_free(s)
{
	if
	:: s_state[s] == S_ISSUED -> issued--
	:: else -> skip
	fi;
	/* Something moved since the watchdog looked. */
	if
#ifndef BLAME_LATE
	:: blame == s -> blame = NONE
#endif
	:: else -> skip
	fi;
	s_state[s] = S_FREE;
	s_xfer[s] = 0;
	s_slice[s] = 0;
	s_epoch[s] = 0;
	s_letgo[s] = 0;
	first_without(s)
}

/* xfer */

inline xfer_end(x)
{
	/* Exactly once. */
	assert(x_state[x] == X_QUEUED || x_state[x] == X_ISSUED);
	/* Success is success. */
	assert(x_status[x] || moved[x] == (1 << SLICES(x)) - 1);
	/* Who is not told otherwise can use the memory again. */
	assert(x_held[x] || inhw[x] == 0);
	ff = FILE(x);
	if
	:: x_state[x] == X_ISSUED -> f_active[ff]--
	:: else -> skip
	fi;
	x_state[x] = X_ENDED;
	/* Only so that there are fewer states. */
	x_status[x] = 0;
	x_left[x] = 0;
	x_sick[x] = 0;
	moved[x] = 0;
	if
	:: QUEUE_EMPTY(ff) -> f_run[ff] = 0
	:: else ->
		if
		:: f_active[ff] == 0 -> f_run[ff] = 1
		:: else -> skip
		fi
	fi;
	buffer_put(x)
}

inline xfer_settle(x)
{
	if
	:: x_slots[x] == 0 && (x_status[x] || x_left[x] == 0) -> xfer_end(x)
	:: else -> skip
	fi
}

/* Give hardware no more of it: not what is queued, and not what is to be issued again. */
inline xfer_fail(x, why)
{
	if
	:: x_status[x] == 0 -> x_status[x] = why
	:: else -> skip
	fi;
	x_queued[x] = 0;
	qf = FILE(x);
	if
	:: QUEUE_EMPTY(qf) -> f_run[qf] = 0
	:: else -> skip
	fi;
	fs = 0;
	do
	:: fs < SLOTS ->
		if
		:: s_state[fs] == S_REPLAY && s_xfer[fs] == x ->
			slot_free(fs);
			x_slots[x]--
		:: else -> skip
		fi;
		fs++
	:: else -> break
	od;
	skip
}

inline xfer_complete(x, why)
{
	x_slots[x]--;
	if
	:: why != 0 -> xfer_fail(x, why)
	:: else -> skip
	fi;
	xfer_settle(x)
}

inline xfer_abort(x, why)
{
	xfer_fail(x, why);
	xfer_settle(x)
}

#define ALIVE(x)	(x_state[x] == X_QUEUED || x_state[x] == X_ISSUED)
#define REPLAYED(x)	((s_state[0] == S_REPLAY && s_xfer[0] == (x)) || \
			 (s_state[1] == S_REPLAY && s_xfer[1] == (x)))

/* What there is of a file and hardware has not got whole; all of it when told so. */
inline xfer_abort_all(f, why, all)
{
	fx = 0;
	do
	:: fx < XFERS ->
		if
		:: FILE(fx) == f && ALIVE(fx) && (all || x_queued[fx] || REPLAYED(fx)) ->
			xfer_abort(fx, why)
		:: else -> skip
		fi;
		fx++
	:: else -> break
	od;
	skip
}

inline xfer_submit(x)
{
	if
	:: stopped || state == FAILED -> skip
	:: else ->
		x_state[x] = X_QUEUED;
		x_left[x] = SLICES(x);
		x_queued[x] = 1;
		x_refs[x]++;
		f_run[FILE(x)] = 1
	fi
}

/* the callback */

/* Hardware let go of the memory of a slot whose transfer has ended. */
inline slot_release(s)
{
	ex = s_xfer[s];
	slot_free(s);
	buffer_put(ex)
}

/*
 * In hardware that keeps the order, a probe that came back proves that all before
 * it has ended. In other hardware only their own callbacks tell.
 */
#define UNTOLD(s)	(s_state[s] == S_HELD || (s_state[s] == S_RETIRED && !s_letgo[s]))
#ifdef UNORDERED
#define PROVEN		(!UNTOLD(0) && !UNTOLD(1))
/* A callback after terminate may come of what is only dropped. */
#define TELLS		true
#else
#define PROVEN		p_ok
#define TELLS		!terminated
#endif

inline works()
{
	hk = 0;
	do
	:: hk < SLOTS ->
		if
		:: s_state[hk] == S_HELD -> slot_release(hk)
		:: else -> skip
		fi;
		hk++
	:: else -> break
	od;
	/* A probe in front of the next ones could stall them. */
	assert(!p_out);
	p_ok = 0;
	terminated = 0;
	state = WORKING;
	engine_kick()
}

inline heal()
{
	if
	:: state == FAILED && !stopped && PROVEN -> works()
	:: else -> skip
	fi
}

#ifdef NO_EPOCH
#define IN_TIME(s, t)	true
#else
#define IN_TIME(s, t)	(s_epoch[s] == (t) % EPOCHS)
#endif

/* In any context, also within a call of the dispatcher to the provider. */
inline engine_done(t)
{
	assert(!freed);
	hs = t / EPOCHS;
	if
	:: hs == SLOTS ->
		if
		:: p_epoch == t % EPOCHS && p_out ->
			p_ok = (cb[t] == C_OK && p_moved);
			p_out = 0;
			p_moved = 0;
			p_epoch = 0;
			heal()
		:: else -> skip
		fi
	:: hs < SLOTS && s_state[hs] == S_ISSUED && IN_TIME(hs, t) ->
		hx = s_xfer[hs];
		/* An error is hardware's, never the reset's. */
		assert(cb[t] == C_OK || x_sick[hx]);
		slot_free(hs);
		xfer_complete(hx, (cb[t] == C_OK -> 0 : EIO));
		engine_kick()
	:: hs < SLOTS && s_state[hs] == S_RETIRED && IN_TIME(hs, t) && TELLS ->
		s_letgo[hs] = 1
	:: hs < SLOTS && s_state[hs] == S_HELD && IN_TIME(hs, t) && TELLS ->
		slot_release(hs);
		heal()
	:: else -> skip
	fi;
	cb[t] = C_NONE;
	cbs--
}

/* hardware */

inline hw_take(x, k, t)
{
	assert(nfull(hw));
	/* What hardware has is held. */
	assert(x == PROBE || ALIVE(x));
	hw!x,k,t,0;
	inhw[x]++
}

inline hw_callback(t, what)
{
#ifdef NO_EPOCH
	/* What is broken then shows elsewhere. */
	cbs = cbs - (cb[t] != C_NONE);
#else
	/* A ticket is out once. */
	assert(cb[t] == C_NONE);
#endif
	cb[t] = what;
	cbs++
}

/* A descriptor has left hardware; what that is was received into hx, hk, ht, hq. */
inline hw_end(what)
{
	inhw[hx]--;
	if
	:: what == C_ERROR -> skip
	:: hx == PROBE -> p_moved = p_out
	:: hx < XFERS && x_state[hx] != X_ENDED -> moved[hx] = moved[hx] | (1 << hk)
	:: else -> skip
	fi;
	if
	:: what != C_NONE && !hq -> hw_callback(ht, what)
	:: else -> skip
	fi;
	hx = 0; hk = 0; ht = 0; hq = 0
}

/* Everything leaves hardware, and is called back with what, or not at all. */
inline hw_flush(what)
{
	do
	:: nempty(hw) ->
		hw?hx,hk,ht,hq;
		inhw[hx]--;
		if
		:: what != C_NONE && !hq -> hw_callback(ht, what)
		:: else -> skip
		fi
	:: empty(hw) -> break
	od;
	hung = 0
}

/* Nothing that hardware has will be told. */
inline hw_silence()
{
	rn = len(hw);
	do
	:: rn > 0 ->
		hw?hx,hk,ht,hq;
		hw!hx,hk,ht,1;
		rn--
	:: else -> break
	od;
	skip
}

inline hw_forget_callbacks()
{
	rt = 0;
	do
	:: rt < TICKETS -> cb[rt] = C_NONE; rt++
	:: else -> break
	od;
	cbs = 0
}

/* dmaengine_terminate_async() and synchronize; said is whether it says 0. */
inline terminate(said)
{
	atomic {
		terminated = 1;
		if
		:: PROVIDER & T_STOPS -> d_step { hw_flush(C_NONE); said = 1 }
		:: PROVIDER & T_STOPS -> d_step { hw_flush(C_NONE); hw_forget_callbacks(); said = 1 }
		:: PROVIDER & T_ABORTS -> d_step { hw_flush(C_ERROR); said = 1 }
		:: PROVIDER & T_LIES -> d_step { hw_flush(C_OK); said = 1 }
		:: PROVIDER & T_GHOST -> d_step { hw_silence(); said = 1 }
		:: PROVIDER & T_DEAF -> said = 1
		:: PROVIDER & T_REFUSES -> said = 0
		fi;
		terminated = said
	}
}

/* dma_release_channel(): no callback comes after it. What terminate did not stop, it may. */
inline release()
{
	atomic {
		if
		:: d_step { true -> hw_flush(C_NONE); hw_forget_callbacks() }
		:: (PROVIDER & (T_GHOST | T_DEAF)) -> d_step { hw_silence(); hw_forget_callbacks() }
		fi
	}
}

#ifdef UNORDERED
#define CAN_END(x)	(hw??[x,_,_,_] && hung != 1 + (x))
#define RECEIVE(x)	hw??x,hk,ht,hq; hx = x
#else
#define CAN_END(x)	(hw?[x,_,_,_] && !hung)
#define RECEIVE(x)	hw?hx,hk,ht,hq
#endif
active proctype hardware()
{
end:	do
	/* It ends a descriptor: well, with an error, or without anybody being told. */
#define ENDS(x) \
	:: d_step { CAN_END(x) -> RECEIVE(x); hw_end(C_OK) } \
	:: d_step { n_hang > 0 && CAN_END(x) -> \
		n_hang--; \
		hung = 1 + x; \
		if \
		:: x < XFERS && x_state[x] != X_ENDED -> x_sick[x] = 1 \
		:: else -> skip \
		fi }
#define ENDS_BADLY(x) \
	:: d_step { n_error > 0 && CAN_END(x) -> n_error--; x_sick[x] = (x_state[x] != X_ENDED); RECEIVE(x); hw_end(C_ERROR) } \
	:: d_step { n_lose > 0 && CAN_END(x) -> n_lose--; x_sick[x] = (x_state[x] != X_ENDED); RECEIVE(x); hw_end(C_NONE) }
	ENDS(0)
	ENDS(1)
	ENDS(2)
	ENDS(PROBE)
	ENDS_BADLY(0)
	ENDS_BADLY(1)
	ENDS_BADLY(2)
	/* And any callback that is to come may come now. */
	:: atomic {
		cbs > 0 ->
		d_step {
			rl = TICKETS - 1;
			do
			:: cb[rl] == C_NONE -> rl--
			:: else -> break
			od
		}
		do
		:: cb[rk] -> break
		:: rk < rl -> rk++
		od;
		d_step { engine_done(rk); rk = 0; rl = 0 }
	}
	od;
	skip
}

/* the dispatcher */

/* Whether the next of a file may be given to hardware now. */
#define FENCED(f)	(FENCE && FILE(1) == (f) && !(FILE(0) == (f) && x_queued[0]) && x_queued[1] && \
			 x_state[1] == X_QUEUED && f_active[f] > 0)
#define LONELY(f)	(f_strikes[f] >= ALONE)
#define LONELY_SLOT(s)	(s_state[s] == S_ISSUED && LONELY(FILE(s_xfer[s])))
#define ROOM_FOR(f)	(issued == 0 || !LONELY(f))

inline mark_issued(s)
{
	s_state[s] = S_ISSUED;
	s_epoch[s] = epoch;
	s_letgo[s] = 0;
	issued++;
	/* The other one was before it, if hardware has that. */
	first = (s_state[1 - (s)] == S_ISSUED -> 1 - (s) : s)
}

/* The next slice, in a slot, or NONE. */
inline engine_next()
{
	slot = NONE;
	alone = 0;
	replayed = 0;
	if
	:: state != WORKING || stopped || LONELY_SLOT(0) || LONELY_SLOT(1) -> skip
	:: else ->
		if
		:: REPLAYS ->
			d_step {
				slot = (s_state[0] == S_REPLAY -> 0 : 1);
				if
				:: ROOM_FOR(FILE(s_xfer[slot])) ->
					replayed = 1;
					alone = (issued == 0);
					mark_issued(slot)
				:: else -> slot = NONE
				fi
			}
		:: !REPLAYS && s_state[0] != S_FREE && s_state[1] != S_FREE -> skip
		:: else ->
			d_step {
				if
				:: FENCED(0) -> f_run[0] = 0
				:: else -> skip
				fi;
				rf = FILES
			}
			if
			:: f_run[0] -> rf = 0
			:: f_run[1] -> rf = 1
			:: !f_run[0] && !f_run[1] -> skip
			fi;
			d_step {
				if
				:: rf < FILES && ROOM_FOR(rf) ->
					rx = 0;
					do
					:: FILE(rx) == rf && x_queued[rx] -> break
					:: else -> rx++; assert(rx < XFERS)
					od;
					if
					:: x_state[rx] == X_QUEUED ->
						/* A fence is kept, by hardware too. */
						assert(!(FENCE && rx == 1) || (!ALIVE(0) && (!inhw[0] || x_held[0])));
						x_state[rx] = X_ISSUED;
						f_active[rf]++
					:: else -> skip
					fi;
					x_slots[rx]++;
					x_left[rx]--;
					if
					:: x_left[rx] == 0 -> x_queued[rx] = 0
					:: else -> skip
					fi;
					if
					:: QUEUE_EMPTY(rf) -> f_run[rf] = 0
					:: else -> skip
					fi;
					slot = (s_state[0] == S_FREE -> 0 : 1);
					s_xfer[slot] = rx;
					s_slice[slot] = x_left[rx];
					alone = (issued == 0);
#ifdef NO_MARK_FIRST
					s_state[slot] = S_TAKEN;
#else
					mark_issued(slot);
#endif
				:: else -> skip
				fi;
				rf = 0
			}
		fi
	fi
}

/* It was not taken: the slice goes back to where it was, unless there is no need of it any more. */
inline engine_refused()
{
	rx = s_xfer[slot];
	if
	:: x_status[rx] || stopped ->
		slot_free(slot);
		xfer_complete(rx, ENODEV)
	:: else ->
		if
		:: replayed ->
			issued--;
			s_state[slot] = S_REPLAY;
			s_epoch[slot] = 0;
			first_without(slot)
		:: else ->
			slot_free(slot);
			x_slots[rx]--;
			x_left[rx]++;
			if
			:: x_left[rx] == SLICES(rx) ->
				x_state[rx] = X_QUEUED;
				f_active[FILE(rx)]--
			:: else -> skip
			fi;
			x_queued[rx] = 1;
			f_run[FILE(rx)] = 1
		fi
	fi;
	if
	:: alone -> work = 1
	:: else -> skip
	fi
}

/* Leave when there is nothing to give; the lock is only dropped for issue_pending. */
inline engine_round()
{
	do
	:: slot == NONE && !submitted ->
		if
		:: again && !stopped ->
			again = 0;
			engine_next()
		:: else ->
			running = 0;
			again = 0;
			slot = 0;
			goto out
		fi
	:: else -> break
	od
}

inline engine_enter()
{
	if
	:: running || stopped || state != WORKING ->
#ifndef NO_AGAIN
		again = running;
#endif
		goto out
	:: else ->
		running = 1;
		again = 0;
		engine_next();
		engine_round()
	fi
}

/* Each round of this is a time without the lock, and one with it. */
inline engine_fill()
{
	do
	:: atomic {
		slot != NONE ->
		/* prep and submit */
		if
		:: n_refuse > 0 -> n_refuse--; refused = 1
		:: d_step {
			true ->
			hw_take(s_xfer[slot], s_slice[slot], TICKET(slot, s_epoch[slot]));
			submitted = 1;
			alone = 0;
#ifndef NO_MARK_FIRST
			replayed = 0;
#endif
		}
		fi
	}
		atomic {
			if
			:: refused ->
				d_step { engine_refused() }
				refused = 0;
				replayed = 0;
				if
				:: !alone && issued == 0 -> engine_next()
				:: else -> slot = NONE
				fi
			:: else ->
#ifdef NO_MARK_FIRST
				if
				:: !replayed -> mark_issued(slot)
				:: else -> skip
				fi;
#endif
				engine_next()
			fi;
			engine_round()
		}
	:: atomic {
		/* issue_pending is over */
		slot == NONE ->
		submitted = 0;
		engine_round()
	}
	od
}

inline program(next, last)
{
	do
	:: next < last ->
		d_step {
#ifdef BATCH
			do
			:: next < last ->
				xfer_submit(next);
				next++
			:: else -> break
			od;
#else
			xfer_submit(next);
			next++;
#endif
			skip
		}
		atomic { engine_enter() }
		engine_fill();
out:		skip
	:: atomic { next == last -> f_inside[FILE(last - 1)] = 0 } break
	od
}

active proctype first_program()
{
	byte next, slot;
	bit alone, replayed, refused, submitted;

#ifdef EXCL
	program(next, XFERS);
#else
	program(next, 2);
#endif
end:	false
}

#ifndef EXCL
active proctype second_program()
{
	byte next = 2, slot;
	bit alone, replayed, refused, submitted;

	program(next, XFERS);
end:	false
}
#endif

active proctype worker()
{
	byte slot;
	bit alone, replayed, refused, submitted;

end:	do
	:: atomic {
		work ->
		work = 0;
		engine_enter()
	}
		engine_fill();
out:		skip
	od
}

/* what programs and root do besides */

inline file_close(f)
{
	f_closed[f] = 1;
	xfer_abort_all(f, ECANCELED, true);
	/* The handles. */
	ks = 0;
	do
	:: ks < XFERS ->
		if
		:: FILE(ks) == f ->
#ifdef NO_REF
			/* What hardware has drops its buffer with the file. */
			if
			:: ALIVE(ks) -> buffer_put(ks)
			:: else -> skip
			fi;
#endif
			buffer_put(ks)
		:: else -> skip
		fi;
		ks++
	:: else -> break
	od;
	skip
}

active proctype world()
{
end:	do
#define ON(x) \
	:: d_step { n_cancel > 0 && ALIVE(x) && !x_status[x] -> n_cancel--; xfer_abort(x, ECANCELED); engine_kick() } \
	:: d_step { n_timeout > 0 && x_state[x] == X_ISSUED && !x_status[x] -> \
		n_timeout--; xfer_abort(x, ETIMEDOUT); engine_kick() }
	ON(0)
	ON(1)
	ON(2)
#define CLOSE(f) \
	:: d_step { n_close > 0 && !f_closed[f] && !f_inside[f] -> n_close--; file_close(f) }
	CLOSE(0)
#ifndef EXCL
	CLOSE(1)
#endif
	:: d_step { n_unhang > 0 && hung -> n_unhang--; hung = 0 }
	:: d_step {
		n_unbind > 0 ->
		n_unbind--;
		n_reset = 0;
		n_spurious = 0;
		stopped = 1;
		xfer_abort_all(0, ENODEV, false);
		xfer_abort_all(1, ENODEV, false)
	}
	/* Or nothing of it happens. */
	:: d_step {
		n_cancel + n_timeout + n_reset + n_close + n_unbind + n_unhang > 0 ->
		n_cancel = 0;
		n_timeout = 0;
		n_reset = 0;
		n_close = 0;
		n_unbind = 0;
		n_unhang = 0
	}
	od
}

/* the reset ladder */

#define TOLD(s)		(s_state[s] == S_ISSUED && cb[TICKET(s, s_epoch[s])])
#ifdef UNORDERED
#define CAN_MOVE	(CAN_END(0) || CAN_END(1) || CAN_END(2) || CAN_END(PROBE))
#else
#define CAN_MOVE	(len(hw) > 0 && !hung)
#endif
/* Nothing will come by itself. */
#define STUCK		(!running && !CAN_MOVE && !TOLD(0) && !TOLD(1))
#define MARKED(s)	(s_state[s] == S_ISSUED && x_status[s_xfer[s]] == ETIMEDOUT)

#ifdef NO_PROBE
#define TRUSTS(said)	said
#else
#define TRUSTS(said)	false
#endif

/* The next rung: not of a provider that says that it goes on, nor where no probe tells. */
inline climb()
{
#ifdef UNORDERED
	skip
#else
	atomic {
		release();
		probe(1)
	}
#endif
}

inline engine_retire()
{
	epoch++;
	assert(epoch < EPOCHS);
	rs = 0;
	do
	:: rs < SLOTS ->
		if
		:: s_state[rs] == S_ISSUED ->
			s_state[rs] = S_RETIRED;
			issued--
		:: else -> skip
		fi;
		rs++
	:: else -> break
	od;
	first = 0;
	p_ok = 0;
	if
	:: blame != NONE ->
		rx = s_xfer[blame];
#if SPURIOUS == 0
		/* Nobody is blamed for another. */
		assert(x_sick[rx]);
#endif
		f_strikes[FILE(rx)]++;
		xfer_fail(rx, ETIMEDOUT);
		blame = NONE
	:: else -> skip
	fi
}

inline probe(another)
{
#ifndef UNORDERED
	d_step {
		/* The first one has the reset's own epoch. */
		epoch = epoch + another;
		assert(epoch < EPOCHS);
		p_epoch = epoch;
		p_out = 1;
		p_ok = 0;
		p_moved = 0;
		hw_take(PROBE, 0, TICKET(SLOTS, epoch))
	}
#endif
	skip
}

/* Hardware has let go: what is wanted is issued again. */
inline reset_works()
{
	rs = 0;
	do
	:: rs < SLOTS ->
		if
		:: s_state[rs] == S_RETIRED ->
			rx = s_xfer[rs];
			if
			:: x_status[rx] || stopped ->
				slot_free(rs);
				xfer_complete(rx, ENODEV)
			:: else ->
				s_state[rs] = S_REPLAY;
				s_epoch[rs] = 0;
				s_letgo[rs] = 0
			fi
		:: else -> skip
		fi;
		rs++
	:: else -> break
	od;
	works()
}

/* What is retired ends, and keeps the memory of what may still be used. */
inline engine_hold(why)
{
	rs = 0;
	do
	:: rs < SLOTS ->
		if
		:: s_state[rs] == S_RETIRED ->
			rx = s_xfer[rs];
			if
			:: s_letgo[rs] -> slot_free(rs)
			:: else ->
				s_state[rs] = S_HELD;
				x_refs[rx]++;
				x_held[rx] = 1
			fi;
			xfer_complete(rx, why)
		:: else -> skip
		fi;
		rs++
	:: else -> break
	od;
	skip
}

inline reset_fails()
{
	engine_hold(EIO);
	xfer_abort_all(0, EIO, true);
	xfer_abort_all(1, EIO, true);
	state = FAILED
}

#define LIVE(t)		((t) / EPOCHS == SLOTS -> p_out && p_epoch == (t) % EPOCHS : \
			 s_state[(t) / EPOCHS] != S_FREE && s_epoch[(t) / EPOCHS] == (t) % EPOCHS)

/*
 * Only so that there are fewer states. Of the callbacks that nobody waits for any
 * more KEEP may still come, and epochs begin anew when nothing has an old one.
 */
inline tidy()
{
	rn = 0;
	rt = 0;
	do
	:: rt < TICKETS ->
		if
		:: cb[rt] && !LIVE(rt) ->
			if
			:: rn < KEEP -> rn++
			:: else ->
				cb[rt] = C_NONE;
				cbs--
			fi
		:: else -> skip
		fi;
		rt++
	:: else -> break
	od;
	if
	:: cbs == 0 && len(hw) == 0 && !p_out && !s_epoch[0] && !s_epoch[1] -> epoch = 1
	:: else -> skip
	fi
}

active proctype ladder()
{
	bit said, done;

end:	do
	:: atomic {
		/* The watchdog. */
		!stopped && state == WORKING && issued > 0 && STUCK ->
		state = RESETTING;
		blame = first
	}
		goto reset
	:: atomic {
		n_spurious > 0 && !stopped && state == WORKING && issued > 0 ->
		n_spurious--;
		state = RESETTING;
		blame = first
	}
		goto reset
#ifdef EXCL
	/* A timeout. */
	:: atomic {
		!stopped && state == WORKING && (MARKED(0) || MARKED(1)) ->
		state = RESETTING
	}
		goto reset
#endif
	/* Root asks for it. */
	:: atomic {
		n_reset > 0 && !stopped && state != RESETTING ->
		n_reset--;
		state = RESETTING
	}
		goto reset
	:: stopped -> break;

reset:
		/*
		 * What could come between these it can as well before or after:
		 * callbacks of what is retired, and marks.
		 */
		atomic {
			running == 0 ->
#ifdef RETIRE_LATE
			terminate(said)
		}
		atomic {
			d_step { engine_retire() }
#else
			d_step { engine_retire() }
			terminate(said);
#endif
			probe(0)
		}
		/* The probe's time may be over whenever, also at once. */
		if
		:: atomic { said && !PROVEN && !TRUSTS(said) && !stopped -> skip }
			climb();
		:: atomic { PROVEN || TRUSTS(said) || !said || stopped -> skip }
		fi;
		d_step {
			if
			/* The rest is unbind's. */
			:: stopped -> skip
			:: !stopped && (PROVEN || TRUSTS(said)) -> reset_works(); tidy()
			:: else -> reset_fails(); tidy()
			fi;
			said = 0
		}
	od;

	/*
	 * Unbind. Hardware has its time, which may be over at once. What had failed
	 * is tried again.
	 */
	atomic {
		running == 0 ->
		if
		:: state == WORKING && issued == 0 && !HELDS && !p_out -> done = 1
		:: else ->
			d_step { engine_retire() }
			terminate(said);
			probe(0)
		fi
	}
	if
	:: atomic { !done && said && !PROVEN && !TRUSTS(said) -> skip }
		climb()
	:: atomic { done || PROVEN || TRUSTS(said) || !said -> skip }
	fi;
	d_step {
		if
		:: done || PROVEN || TRUSTS(said) -> reset_works()
		:: else ->
			engine_hold(ENODEV);
			kept = 1
		fi;
		said = 0;
		tidy()
	}
	if
	:: !kept ->
		release();
		d_step {
			/* The page of the probe is memory like any other. */
			assert(inhw[PROBE] == 0);
			freed = 1
		}
	:: else -> skip
	fi
}

/* When nothing can move any more. */
active proctype rest()
{
	timeout ->
	d_step {
		ks = 0;
		do
		:: ks < XFERS ->
			/* Everything accepted has ended: no kick was lost either. */
			assert(!ALIVE(ks));
			/* And its memory is free, if the program and hardware let go. */
			assert(x_refs[ks] == (f_closed[FILE(ks)] -> 0 : 1) +
			       (s_state[0] == S_HELD && s_xfer[0] == ks -> 1 : 0) +
			       (s_state[1] == S_HELD && s_xfer[1] == ks -> 1 : 0));
			ks++
		:: else -> break
		od;
		assert((state != RESETTING || kept) && !running && issued == 0 && !REPLAYS && !RETIREDS);
		assert(!f_active[0] && !f_active[1] && !f_run[0] && !f_run[1]);
		assert(!stopped || freed || kept)
	}
}

