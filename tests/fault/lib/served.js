/* Whether others are served as if somebody were not slow. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { p99 } from '../../lib/percentile.js';

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

/* The same when nothing is done to it: what the machine needs by itself. */
export const alone = (calls) => timesOf(calls, (count) => count >= 400);

/* Asks an instance for `target`, without https, and reads nothing of the answer. */
export function deafReader(instance, target) {
    const socket = net.connect({ port: instance.port, host: '127.0.0.1' }).pause().on('error', () => {});
    socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    return socket;
}

/* All but one answer in a hundred come within SERVED_MS, whatever the machine needs by itself, which is said so that a failure can be
 * told from a machine that is busy with other things: a few milliseconds are usual, on one that does nothing else 3 to 12 under
 * attack. The hundredth may wait for the disk, as it may without all this. */
export function wereServed(t, meanwhile, before) {
    const slowest = Math.max(...meanwhile), one = p99(meanwhile), other = p99(before);
    t.diagnostic(`all but one in a hundred of ${meanwhile.length} in ${one.toFixed(1)} ms, the slowest ${slowest.toFixed(1)} ms; ` +
        `${other.toFixed(1)} ms by themselves`);
    assert.ok(meanwhile.length >= 200, `${meanwhile.length} answers`);
    assert.ok(one <= SERVED_MS, `${one} ms; without it ${other} ms`);
}
