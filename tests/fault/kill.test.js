/* Any program is killed at any moment: nobody and nothing that was acknowledged is lost, nothing is there twice. README.md says
 * what is promised, and how a run is repeated. Takes long. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { killRun } from './lib/kills.js';
import { everything } from './lib/nemesis.js';
import { seeds } from './lib/random.js';
import { isSoak } from './lib/soak.js';
import { placeWithout } from './lib/without.js';

const KILLS = 300, CUSTOMERS = 720; // in all; with one seed in FAULT_SEED all of them are its own
const drawn = seeds(3);
const size = isSoak ? { kills: 1000, customers: 10000 }
    : { kills: Math.ceil(KILLS / drawn.length), customers: Math.ceil(CUSTOMERS / drawn.length) };
const TRIES = 10;
const few = { kills: 50, customers: 90, quiet: 1000, drain: 1000 };

/* The same with one mechanism taken out; the kinds of fault that it must find then. Some tries, for a run may be lucky. */
async function finds(t, mechanism, kinds, options) {
    const { place, stop } = await placeWithout(mechanism), found = new Set();
    try {
        for (let tries = 0; tries < TRIES && !kinds.every((kind) => found.has(kind)); tries++) {
            const [seed] = seeds(1), sizes = { ...few, ...options, ...place };
            const { faults, summary } = await killRun(`without-${mechanism}`, seed, sizes);
            t.diagnostic(JSON.stringify({ without: mechanism, ...summary }));
            faults.forEach((fault) => found.add(fault.kind));
        }
        assert.deepEqual(kinds.filter((kind) => !found.has(kind)), [], `found: ${[...found].join(', ')}`);
    } finally {
        await stop();
    }
}

/* Some at a time: one is quiet while another works. */
const killed = new Set();
describe('kills', { concurrency: isSoak ? 1 : 3 }, () => {
    after(() => { if (killed.size) assert.deepEqual([...killed].sort(), [...everything].sort(), 'each program was killed'); });

    for (const seed of drawn) {
        test(`${size.kills} kills among ${size.customers} customers lose nothing and double nothing (seed ${seed})`, async (t) => {
            const { place, stop } = await placeWithout(process.env.FAULT_WITHOUT);
            try {
                const { faults, summary, file } = await killRun('kills', seed, { ...size, ...place });
                t.diagnostic(JSON.stringify(summary));
                assert.deepEqual(faults.slice(0, 20), [], `${faults.length} faults; FAULT_SEED=${seed} repeats it; ${file}`);
                assert.equal(summary.kills, size.kills);
                summary.killed.forEach((name) => killed.add(name));
                assert.ok(summary.acceptances > size.customers * 0.8 && summary.files > size.customers * 0.05, 'there was work');
                assert.ok(summary.refused < summary.messages * 0.05, `${summary.refused} came after the end`);
            } finally {
                await stop();
            }
        });
    }

    if (!isSoak && !process.env.FAULT_WITHOUT) {
        test('without the reqid in the calls, the same test finds conferences that are doubled', (t) =>
            finds(t, 'reqid', ['doubled'], { names: ['form_submit', 'vcs_conf_schedule', 'queue', 'vcs_call', 'nginx'] }));

        test("without the offers' epoch, the same test finds acceptances of offers that were over", (t) =>
            finds(t, 'epoch', ['void'], { agents: 16, repent: 0.3 })); // somebody is free for what another declines
    }

    if (isSoak && !process.env.FAULT_WITHOUT) { // a further switch, which finds what the epoch's does and more
        test('without any lease, the same test finds two agents with one customer', (t) =>
            finds(t, 'lease', ['two agents', 'void'], { agents: 16, repent: 0.3 }));
    }
});
