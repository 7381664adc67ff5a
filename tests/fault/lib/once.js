/* People who send each request once: an answer other than 200 is a fault of the server, and so is a connection that breaks. What
 * they do is in the world's history, as the checker reads it. */
import assert from 'node:assert/strict';
import http from 'node:http';
import { request } from '../../lib/http.js';

const methodOf = ({ form, multipart }) => (form || multipart ? 'POST' : 'GET');

/* One request to a program: the entry {who, op, began, ended, tries, status, answer, …note}; throws where it is not answered with
 * one of `good`. isKept: whether the history has it. world.answered: for each program how many requests it answered, and when the
 * last of them began. */
export async function once(world, who, op, note, program, options, { isKept = true, good = [200] } = {}) {
    const entry = { who, op, ...note, began: world.now(), ended: null, tries: 1, status: null };
    if (isKept) world.history.add(entry);
    const send = (how) => request(world.instance.base, methodOf(options), `/cgi_bin/${program}`,
        { accept: 'application/json', ...options, ...how });
    const answer = await send({ agent: world.kept?.agent }).catch((error) => {
        Object.assign(entry, { failed: error.code ?? error.message, isUnheard: error.isUnheard });
        if (!world.kept?.isAskedAgain(error)) throw new Error(`${who}, ${op}: ${error.message}`, { cause: error });
        entry.tries++;
        return send({}); // on a connection of its own, as a browser does it
    });
    const isJson = answer.headers['content-type']?.startsWith('application/json');
    Object.assign(entry, { status: answer.status, ended: world.now(), answer: isJson ? answer.json() : answer.body });
    if (entry.status === 202) entry.kept = entry.ended;
    assert.ok(good.includes(entry.status), `${who}, ${op}: ${entry.status} ${answer.body.slice(0, 500)}`);
    const { count = 0 } = (world.answered ??= new Map()).get(program) ?? {};
    world.answered.set(program, { count: count + 1, began: entry.began });
    return isKept ? entry : { ...entry, bytes: answer.bytes };
}

/* Connections that are kept, for world.kept. A web server that reloads closes them as soon as they have nothing to do (nginx before
 * 1.27.4 knows no keepalive_min_timeout), and whoever is just sending on one is cut off before any answer: HTTP knows it (RFC
 * 9112, 9.3.1), and a browser asks once more. That much is allowed here, and nothing else: not twice, not on a connection that is
 * new, not when a byte of an answer has come, and no answer of another status. `again`: how often it was; open(): how many there are. */
export function keepConnections() {
    const kept = { agent: new http.Agent({ keepAlive: true, maxSockets: 64 }), again: 0 };
    kept.open = () => [kept.agent.sockets, kept.agent.freeSockets].flatMap((one) => Object.values(one)).flat().length;
    kept.isAskedAgain = ({ code, isUnheard }) => ['ECONNRESET', 'EPIPE'].includes(code) && isUnheard && Boolean(++kept.again);
    return kept;
}
