/* The kill test: a crowd of customers and agents at one instance while a nemesis kills; then quiet; then the check. */
import { request } from '../../lib/http.js';
import { sleep, until } from '../../lib/instance.js';
import { agent } from './agent.js';
import { booker, colleague, monitor } from './bystanders.js';
import { check, followed, unfinished } from './check.js';
import { customer, hashOf } from './customer.js';
import { everything, nemesis } from './nemesis.js';
import { startWorld } from './world.js';

export const QUIET_MS = 10000;

/* So many customers, a few at once; gives when the last one came. */
async function crowd(world, { customers, atOnce }) {
    let lastCame = 0;
    await Promise.all(Array.from({ length: atOnce }, async () => {
        while (world.begun < customers) {
            lastCame = world.now();
            await customer(world, world.begun++);
        }
    }));
    return lastCame;
}

/* Reads every file that was taken, as its sender would: `gotten` is the hash of what came. */
async function fetchFiles(world) {
    for (const sent of world.history.of('file').filter((one) => one.status === 200)) {
        const answer = await request(world.instance.base, 'GET', '/cgi_bin/file_get',
            { query: { id: sent.answer.file, token: sent.token } });
        sent.gotten = answer.status === 200 ? hashOf(answer.bytes) : `status ${answer.status}`;
    }
}

/* Ends the world when nothing has been begun for so long: something is stuck, and the check says what. */
const STALL_MS = 60000;
function watch(world) {
    let seen = -1, since = Date.now();
    const timer = setInterval(() => {
        if (world.history.entries.length !== seen) [seen, since] = [world.history.entries.length, Date.now()];
        if (Date.now() - since > STALL_MS) world.isOver = true;
    }, 1000);
    return () => clearInterval(timer);
}

const isAnybodyThere = (world) => world.rows('SELECT id FROM conference WHERE ended_at = 0 LIMIT 1').length > 0;

/* What a run was, for the record. */
function summary(world, faults) {
    const number = (kind) => faults.filter((one) => one.kind === kind).length, { history } = world;
    return { seed: world.seed, kills: history.of('kill').length, killed: [...new Set(history.of('kill').map((one) => one.name))],
        forms: history.of('ask').length,
        conferences: world.rows('SELECT count(*) AS n FROM conference')[0].n,
        messages: history.of('say').filter((one) => one.status === 200).length,
        files: history.of('file').filter((one) => one.status === 200).length,
        acceptances: history.of('accept').filter((one) => one.status === 200).length,
        refused: [...history.of('say'), ...history.of('file')].filter((one) => one.status === 409).length,
        rooms: history.of('book').length, sessions: history.of('sign in').length,
        refusedAcceptances: history.of('accept').filter((one) => one.status === 409).length,
        repeatedCalls: history.entries.reduce((sum, one) => sum + Math.max(0, (one.tries ?? 1) - 1), 0),
        followed: followed(world), lost: number('lost'), doubled: number('doubled'), otherFaults: faults.length - number('lost') - number('doubled'),
        seconds: Math.round(world.now() / 1000) };
}

async function run(world, { kills, customers, atOnce, names, quiet, drain }) {
    const others = Promise.all([...world.logins.map((login) => agent(world, login)), booker(world), colleague(world), monitor(world)]);
    others.catch(() => { world.isOver = true; });
    const [lastCame] = await Promise.all([crowd(world, { customers, atOnce }), nemesis(world, { kills, customers, names })]);
    const lastKill = world.history.of('kill').at(-1)?.ended ?? 0;
    await sleep(Math.max(0, Math.max(lastCame, lastKill) + quiet - world.now()));
    const open = unfinished(world);
    await until(() => !isAnybodyThere(world), 'every conference ends', drain, 250).catch(() => {}); // the check names them
    world.isOver = true;
    await others;
    await fetchFiles(world);
    const faults = check(world);
    return [...faults, ...open.map((what) => ({ kind: 'orphan', what: `${what} after ${quiet} ms of quiet` }))];
}

/* One seed: {faults, summary, file}; the history is kept when there are faults, or when the run itself fails. `prepare` is
 * called with the world before anybody comes; isClockSet: the clock on the wall is, meanwhile; `place`: what startWorld() takes. */
export async function killRun(name, seed, { kills, customers, atOnce = 24, agents = 8, names = everything, quiet = QUIET_MS,
    drain = 30000, prepare = () => {}, finish = () => {}, isClockSet = false, ...place }) {
    const world = await startWorld(name, seed, { agents, ...place }), stopWatching = watch(world);
    world.isClockSet = isClockSet;
    try {
        await prepare(world);
        const faults = await run(world, { kills, customers, atOnce, names, quiet, drain });
        await finish(world);
        return { faults, summary: summary(world, faults), file: faults.length ? world.history.keep() : null };
    } catch (error) {
        error.message += `; seed ${seed}, history in ${world.history.keep()}`;
        throw error;
    } finally {
        world.isOver = true;
        stopWatching();
        await world.instance.stop();
    }
}
