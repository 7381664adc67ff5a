/* The doorbell is cut: where its file was there is a folder, which cannot be written to and tells nobody anything. Everything
 * passes all the same, a second later: the tick of those who wait looks. Needs the whole machine. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startInstance, until } from '../lib/instance.js';
import { act, agentPoll, allEvents, ask, confPoll, conversation, say } from '../lib/people.js';
import { killRun } from './lib/kills.js';
import { seeds } from './lib/random.js';
import { sized } from './lib/soak.js';

const TICK_MS = 1000;
const bellOf = (instance) => path.join(instance.runDir, 'state/bell');
const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];

/* Whoever listens makes the file anew at once, so it may take some tries. */
function cut(instance) {
    for (let tries = 0; ; tries++) {
        fs.rmSync(bellOf(instance), { force: true });
        try {
            return fs.mkdirSync(bellOf(instance));
        } catch (error) {
            if (tries > 1000) throw error;
        }
    }
}

let instance;
before(async () => { instance = await startInstance({ crowd: true }); });
after(() => instance.stop());

/* How long after the answer to the sender a message comes to a poll that waits for it; the median of some. */
async function delivery(sender, reader) {
    const took = [];
    for (let i = 0; i < 7; i++) {
        const { after } = await confPoll(instance, reader), poll = confPoll(instance, reader, after, 10);
        await new Promise((done) => setTimeout(done, 100 + i * 130)); // it is parked, at any moment of the tick
        await say(instance, sender, `message ${i}`);
        const said = performance.now(), { events } = await poll;
        took.push(performance.now() - said);
        assert.deepEqual(events.map((one) => one.text), [`message ${i}`]);
    }
    return median(took);
}

describe('the doorbell is cut', { concurrency: 2 }, () => {
    test('what waits is told a second later; with the bell again, at once', async () => {
        const { agent, customer, staff } = await conversation(instance, 'anna');
        const rung = await delivery(staff, customer);
        cut(instance);
        const unrung = await delivery(customer, staff);
        assert.ok(unrung < TICK_MS + 500 + rung && unrung > rung, `${unrung} ms, ${rung} ms with the bell`);

        const { after } = await agentPoll(instance, agent), poll = agentPoll(instance, agent, after, 10), next = await ask(instance);
        let said = performance.now();
        const isInTime = (what) => assert.ok(performance.now() - said < TICK_MS + 500 + rung, `${what}: ${performance.now() - said} ms`);
        assert.equal((await poll).offers[0]?.conference, next.conference, 'an offer comes to a poll that waits');
        isInTime('an offer');
        const ending = confPoll(instance, customer, (await confPoll(instance, customer)).after, 10);
        await act(instance, agent, 'end', { conf: customer.conference });
        said = performance.now();
        assert.equal((await ending).state, 'ended');
        isInTime('the end');
        assert.equal((await allEvents(instance, customer)).filter((one) => one.kind === 'message').length, 15);

        fs.rmdirSync(bellOf(instance));
        await until(() => fs.existsSync(bellOf(instance)) && fs.statSync(bellOf(instance)).isFile(), 'the bell is there again');
        const again = await conversation(instance, 'ben'), mended = await delivery(again.staff, again.customer);
        assert.ok(mended < unrung, `${mended} ms, ${unrung} ms without the bell`);
    });

    test('a crowd without the bell: nothing is lost, nothing doubled', async (t) => {
        const [seed] = seeds(1), size = sized({ kills: 10, customers: 50 }, { kills: 100, customers: 1000 });
        const { faults, summary, file } = await killRun('bell', seed, { ...size, quiet: 2000, drain: 20000,
            prepare: (world) => cut(world.instance), finish: (world) => assert.ok(fs.statSync(bellOf(world.instance)).isDirectory()) });
        t.diagnostic(JSON.stringify(summary));
        assert.deepEqual(faults.slice(0, 20), [], `seed ${seed}, history: ${file}`);
    });
});
