/* One run: an instance with agents of its own, a seed, a history, and how its clients call.
 *
 * A client insists as a page does: after a broken connection or a 5xx it sends the very same again, until it hears a yes or a no.
 * Only what was heard counts as acknowledged. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { request } from '../../lib/http.js';
import { buildFolder, sleep, startInstance } from '../../lib/instance.js';
import { addAgents } from '../../lib/wire.js';
import { History } from './history.js';
import { seeds, stream } from './random.js';

export const OFFER_S = 2;
const COLLEAGUE = 'colleague'; // signs in and out, and is never ready for customers

const INSIST_MS = 60000; // a program is back within a second: who is not heard for so long is stuck

const heardOf = ({ body }) => (body.startsWith('{') ? JSON.parse(body) : body.slice(0, 500));

class World {
    constructor(name, seed, instance, logins, repent) {
        Object.assign(this, { name, seed, instance, logins, repent, history: new History(name, seed), isOver: false, begun: 0,
            colleague: COLLEAGUE, pauses: new Map() });
        this.began = performance.now();
    }

    now() {
        return Math.round((performance.now() - this.began) * 1000) / 1000;
    }

    random(name) {
        return stream(this.seed, name);
    }

    /* How long this one waits before he tries again. */
    pause(who) {
        if (!this.pauses.has(who)) this.pauses.set(who, this.random(`pauses of ${who}`));
        return this.pauses.get(who).between(50, 150);
    }

    /* One operation until it is answered: an entry {who, op, began, ended, tries, status, answer, …note}; status null: given up
     * after `tries` (default: INSIST_MS). isFinal(status) says which answers end it; heard(answer): what of a 200 is the entry's
     * answer (default: its JSON, or its beginning); isKept: whether the history has it. */
    async insist(who, op, note, method, url, options, { tries = Infinity, isKept = true, heard = heardOf,
        isFinal = (status) => status < 500 } = {}) {
        const entry = { who, op, ...note, began: this.now(), ended: null, tries: 0, status: null, failed: [] };
        if (isKept) this.history.add(entry);
        while (entry.tries < tries && this.now() - entry.began < INSIST_MS) {
            if (entry.tries++) await sleep(this.pause(who));
            const answer = await request(this.instance.base, method, url, { accept: 'application/json', timeout: 10000,
                ...options }).catch((error) => ({ status: 599, body: String(error.code ?? error.message) }));
            if (answer.status === 202) entry.kept ??= this.now();
            if (isFinal(answer.status)) {
                entry.status = answer.status;
                entry.answer = (answer.status === 200 ? heard : heardOf)(answer);
                break;
            }
            entry.failed.push(answer.status === 599 ? answer.body : answer.status);
        }
        entry.ended = this.now();
        return entry;
    }

    /* The rows of a query on the database of an instance. */
    rows(sql, instance = this.instance) {
        const json = execFileSync('sqlite3', ['-readonly', '-json', '-cmd', '.timeout 10000',
            path.join(instance.runDir, 'state/rtcc.db'), sql], { encoding: 'utf8', maxBuffer: 1 << 30 });
        return json.trim() ? JSON.parse(json) : [];
    }
}

/* A world with so many agents, who have signed in nowhere yet; `repent`: how many of their offers they decline and accept after all. */
export async function startWorld(name, seed, { agents = 6, repent = 0.03, settings = {}, build = buildFolder, between,
    ...rest } = {}) {
    const instance = await startInstance({ build, crowd: true,
        settings: { offer_s: OFFER_S, hold_s: 2, gone_s: 20, capacity: 2, ...settings }, ...rest });
    if (between) between.to = instance.port;
    const logins = Array.from({ length: agents }, (_, i) => `agent${i}`);
    await addAgents(instance, [...logins, COLLEAGUE], build);
    return new World(name, seed, instance, logins, repent);
}

/* A test in a world of its own. Its seed is said at the beginning; when it fails its history is kept. */
export async function inWorld(name, options, run) {
    const [seed] = seeds(1);
    console.log(`# ${name}: seed ${seed}`);
    const world = await startWorld(name, seed, options);
    try {
        await run(world);
    } catch (error) {
        error.message += `; FAULT_SEED=${seed} repeats it, history in ${world.history.keep()}`;
        throw error;
    } finally {
        world.isOver = true;
        await world.instance.stop();
    }
}
