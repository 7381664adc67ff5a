/* The servers behind form_submit, and form_submit itself, in the middle of its calls to them: every customer is queued once.
 * Takes long. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { get } from '../lib/http.js';
import { sleep, until } from '../lib/instance.js';
import { act, agentPoll, confPoll, conversation, say, sendFile, signIn } from '../lib/people.js';
import { faultyWays, startBetween } from './lib/between.js';
import { checkQueued, unfinished } from './lib/check.js';
import { ask } from './lib/customer.js';
import { processAt } from './lib/programs.js';
import { seeds } from './lib/random.js';
import { sized } from './lib/soak.js';
import { startWorld } from './lib/world.js';

const programs = ['vcs_conf_schedule', 'queue', 'vcs_call'];
const REPEATS = sized(1, 10), DEATHS = sized(200, 2000);

/* A world behind a server between, until `run` is over; nobody serves in it. */
async function withBetween(name, run) {
    const [seed] = seeds(1), between = await startBetween();
    console.log(`# ${name}: seed ${seed}`);
    const world = await startWorld(name, seed, { agents: 0, settings: between.settings, between });
    try {
        await run(world, between);
        const faults = checkQueued(world);
        assert.deepEqual(faults.slice(0, 20), [], `${faults.length} faults`);
    } catch (error) {
        error.message += `; seed ${seed}, history in ${world.history.keep()}`;
        throw error;
    } finally {
        await world.instance.stop();
        await between.stop();
    }
}

/* Calls each of a list once, so many at once. */
async function inLanes(lanes, list, call) {
    const rest = [...list];
    await Promise.all(Array.from({ length: lanes }, async () => { while (rest.length) await call(rest.shift()); }));
}

const numberOf = (call) => Number(call.body.get('reqid').split('-')[1]);

/* How often each form has called each program. */
function counter() {
    const seen = new Map();
    return (call) => {
        const key = `${numberOf(call)} ${call.program}`;
        seen.set(key, (seen.get(key) ?? 0) + 1);
        return seen.get(key);
    };
}

/* Two who talk already, and a colleague: how long each of their messages, files and looks takes, until `isOver`. */
async function talk(world, { agent, customer, staff }, isOver) {
    const { instance } = world, took = [], timed = async (asking) => {
        const began = world.now();
        await asking();
        took.push(world.now() - began);
    };
    for (let i = 0; !isOver(); i++) {
        await timed(() => say(instance, i % 2 ? customer : staff, `talk ${i}`));
        await timed(() => confPoll(instance, customer));
        await timed(() => sendFile(instance, customer, 'a.txt', 'text/plain', `file ${i}`));
        await timed(() => agentPoll(instance, agent));
        await timed(() => signIn(instance, 'sam'));
        await timed(async () => assert.equal((await get(instance.base, '/cgi_bin/form_submit')).status, 200));
        await sleep(200);
    }
    return took;
}

/* First nobody answers, then nobody is there to connect to; customers come all the time and go away, and two are talking. */
async function cutOff(world, between) {
    let isCut = true;
    between.how = () => 'pass';
    const pair = await conversation(world.instance);
    await act(world.instance, pair.agent, 'notready');
    const talking = talk(world, pair, () => !isCut);
    talking.catch(() => {});
    const customers = (async () => {
        for (let n = 0, all = []; ; n++) {
            if (!isCut) return Promise.all(all);
            all.push(ask(world, n, 1)); // he goes away: only `rtcc work` is left to do it
            await sleep(250);
        }
    })();
    between.how = () => 'deaf';
    await sleep(15000);
    await between.close(); // then there is not even somebody to connect to
    await sleep(15000);
    isCut = false;
    between.how = () => 'pass';
    await between.open();
    const repaired = world.now(), asked = await customers;
    await until(() => !unfinished(world).length, 'everything is queued', 12000, 500); // the server between waits while we look
    const after = world.now() - repaired, took = [...asked.map((one) => one.ended - one.began), ...await talking];
    assert.ok(asked.length > 80 && asked.every((one) => one.kept !== undefined || one.status === 200),
        JSON.stringify(asked.find((one) => one.kept === undefined && one.status !== 200)));
    assert.ok(Math.max(...took) <= 5000, `a request took ${Math.max(...took)} ms`);
    assert.ok(after <= 10000, `it took ${after} ms`);
}

describe('service calls', { concurrency: 2 }, () => {
    test(`calls answered ${faultyWays.join(', ')}: every customer is queued once`, () => withBetween('ways', async (world, between) => {
        const each = faultyWays.flatMap((way) => programs.map((program) => ({ way, program }))), chance = world.random('ways');
        const cases = Array.from({ length: REPEATS }, () => chance.shuffled(each)).flat();
        const times = counter(), met = new Set();
        between.how = (call) => {
            const { way, program } = cases[numberOf(call)];
            if (call.program !== program || times(call) > 1) return 'pass';
            met.add(numberOf(call));
            return way;
        };
        await inLanes(6, cases.keys(), async (n) => {
            const asked = await ask(world, n);
            assert.equal(asked.status, 200, JSON.stringify(asked));
        });
        await until(() => !unfinished(world).length, 'all are queued', 15000, 250);
        assert.equal(met.size, cases.length, 'every way was met at every program');
    }));

    test(`form_submit dies right after its calls, ${DEATHS} times: every customer is queued once`, () => withBetween('deaths',
        async (world, between) => {
            const times = counter(), chosen = new Map();
            const lastCall = (n) => chosen.get(n) ?? chosen.set(n, world.random(`death ${n}`).pick(programs)).get(n);
            let deaths = 0, forms = 0;
            between.before = (call) => {
                if (call.program !== lastCall(numberOf(call)) || times(call) > 1) return;
                const callers = world.instance.processes().filter(({ name }) => ['form_submit', 'rtcc'].includes(name));
                const victim = processAt(callers, call.asked.socket.remotePort);
                if (!victim) return;
                process.kill(victim.pid, 'SIGKILL');
                deaths++;
            };
            await inLanes(8, Array(8).keys(), async () => {
                while (deaths < DEATHS && forms < 2 * DEATHS) {
                    const asked = await ask(world, forms++);
                    assert.equal(asked.status, 200, JSON.stringify(asked));
                }
            });
            await until(() => !unfinished(world).length, 'all are queued', 15000, 250);
            assert.ok(deaths >= DEATHS, `${deaths} deaths among ${forms} forms`);
        }));
});

/* By itself: it measures time, and the deaths take all that the machine has. */
test('the servers are cut off for 30 s: no request takes over 5 s, everything is queued 10 s after the repair', () =>
    withBetween('cut', cutOff));
