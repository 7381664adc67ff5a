/* Random numbers that a seed repeats. Everybody draws from a stream of his own, named by what he is: so what one customer does
 * does not depend on who happened to be quicker. */
import { createHash } from 'node:crypto';

/* {next() in [0,1), below(n), between(from, to), chance(p), pick(list), shuffled(list)} */
export function stream(seed, name) {
    let state = createHash('sha256').update(`${seed} ${name}`).digest().readUInt32LE(0);
    const next = () => { // mulberry32
        state = (state + 0x6d2b79f5) >>> 0;
        let x = Math.imul(state ^ (state >>> 15), state | 1);
        x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
        return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
    };
    const below = (n) => Math.floor(next() * n), between = (from, to) => from + next() * (to - from);
    const shuffled = (list) => list.map((one) => [next(), one]).sort(([a], [b]) => a - b).map(([, one]) => one);
    return { next, below, between, chance: (p) => next() < p, pick: (list) => list[below(list.length)], shuffled };
}

/* The seeds of a run: those in FAULT_SEED ("7" or "7,8,9"), or new ones, so that every run is another. */
export function seeds(count) {
    const given = process.env.FAULT_SEED?.split(',').map(Number);
    return given ?? Array.from({ length: count }, () => 1 + Math.floor(Math.random() * 1e6));
}
