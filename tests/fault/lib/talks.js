/* Conversations that go on: both read with held polls and write, each request once. */
import assert from 'node:assert/strict';
import { sleep } from '../../lib/instance.js';
import { byForm, read, say } from './visits.js';

const LANES = 8;

/* Goes on until stop(), which ends the conference and gives how much was said; `pause` ms, more or less, lie between what one
 * says. */
function keepTalking(world, { n, customer, staff, agent }, pause) {
    const names = [`customer ${n}`, `the agent of ${n}`], state = { isStopped: false, isHurried: false, isOver: false }, said = [];
    const stopped = new Promise((done) => { state.stop = done; });
    const speak = async (who, member) => {
        const chance = world.random(`${who} talks`);
        for (let i = 0; !state.isStopped; i++) {
            const text = `${who} talks: ${i}`;
            await say(world, who, member, text);
            said.push(text);
            await Promise.race([sleep(chance.between(0.5 * pause, 1.5 * pause)), stopped]);
        }
    };
    const whole = async () => {
        await Promise.all([speak(names[0], customer), speak(names[1], staff)]);
        await agent.end(customer.conference);
        Object.assign(state, { isHurried: true, isOver: true });
    };
    const all = Promise.all([read(world, names[0], customer, state, { isKept: true, isWhole: true }),
        read(world, names[1], staff, state, { isKept: false }), whole()]);
    all.catch(() => {}); // stop() throws it
    return { async stop() {
        state.isStopped = true;
        state.stop();
        for (const heard of (await all).slice(0, 2)) {
            const known = heard.filter((text) => said.includes(text));
            assert.deepEqual(known.sort(), [...said].sort(), 'each has read everything once');
        }
        return said.length;
    } };
}

/* So many conferences with an agent in each, in which both go on talking. stop() gives how much was said in each. */
export async function startTalks(world, visits, count, pause) {
    const pairs = [];
    let begun = 0;
    await Promise.all(Array.from({ length: LANES }, async () => {
        while (begun++ < count) {
            const n = world.begun++, customer = await byForm(world, n);
            pairs.push({ n, customer, ...await visits.served(customer.conference) });
        }
    }));
    const talks = pairs.map((pair) => keepTalking(world, pair, pause));
    return { stop: () => Promise.all(talks.map((one) => one.stop())) };
}
