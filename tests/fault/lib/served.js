/* Whether others are served as if somebody were not slow. */
import assert from 'node:assert/strict';

export const SERVED_MS = 100;

/* What others do meanwhile, one call after the other and all of them in a round, until `isOver`: the time of each in ms. */
export async function timesOf(calls, isOver) {
    const took = [];
    while (!isOver(took.length))
        for (const call of calls) {
            const began = performance.now();
            await call();
            took.push(performance.now() - began);
        }
    return took;
}

/* The same when nothing is done to it. */
export const alone = (calls) => timesOf(calls, (count) => count >= 400);

const p99 = (list) => list.sort((a, b) => a - b)[Math.floor(list.length * 0.99)];

/* All but one answer in a hundred come within SERVED_MS: a few milliseconds are usual, so this holds on a machine that others use as
 * well (27 ms were the most in sixty-five measurements with up to seven processes for two processors). Where even that is too slow
 * right before and after, twice the time that it takes by itself. The hundredth may wait for the disk, as it may without all this. */
export async function wereServed(t, meanwhile, before, calls) {
    const slowest = Math.max(...meanwhile), one = p99(meanwhile), other = p99([...before, ...await alone(calls)]);
    t.diagnostic(`all but one in a hundred of ${meanwhile.length} in ${one.toFixed(1)} ms, the slowest ${slowest.toFixed(1)} ms; ` +
        `${other.toFixed(1)} ms by themselves`);
    assert.ok(meanwhile.length >= 200, `${meanwhile.length} answers`);
    assert.ok(one <= Math.max(SERVED_MS, 2 * other), `${one} ms; without it ${other} ms`);
}
