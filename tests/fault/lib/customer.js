/* A customer of the crowd: sends the form, opens the window, writes, sends a file and looks at it, reads until his conference has ended
 * and keeps what was said; or leaves, or vanishes. */
import { createHash } from 'node:crypto';
import { multipart } from '../../lib/http.js';
import { sleep } from '../../lib/instance.js';

export const questionOf = (world, n) => `Question ${n} of ${world.seed}`;

export const formOf = (world, n) => ({ name: `Customer ${n}`, phone: `+1603${String(5000000 + n)}`,
    question: questionOf(world, n), reqid: `${world.seed}-${n}` });

/* The form, until he has his room: a kept form (202) is asked for again, as its page does. `tries`: he goes away after so many. */
export function ask(world, n, tries) {
    const form = formOf(world, n);
    return world.insist(`customer ${n}`, 'ask', { n, isPatient: !tries }, 'POST', '/cgi_bin/form_submit', { form },
        { tries, isFinal: (status) => status < 500 && status !== 202 });
}

/* One message, with a nonce, until it is taken. */
export function say(world, who, member, text) {
    const form = { conf: member.conference, token: member.token, kind: 'message', text, nonce: text };
    return world.insist(who, 'say', { text, conference: member.conference }, 'POST', '/cgi_bin/conf_post', { form });
}

export const hashOf = (bytes) => createHash('sha256').update(bytes).digest('hex');

/* Another member's page shows it as well: what came is what was sent. */
async function lookAtFile(world, who, sent) {
    const query = { id: sent.answer.file, token: sent.token };
    await world.insist(who, 'look', { name: sent.name, sha: sent.sha }, 'GET', '/cgi_bin/file_get', { query },
        { heard: ({ bytes }) => hashOf(bytes) });
}

function sendFile(world, who, member, chance) {
    const data = Buffer.alloc(1 + chance.below(60000), chance.below(256)), name = `${who}.bin`;
    const { type, body } = multipart({ conf: member.conference, token: member.token, nonce: 'file',
        file: { name, type: 'application/octet-stream', data } });
    return world.insist(who, 'file', { name, sha: hashOf(data), conference: member.conference, token: member.token }, 'POST',
        '/cgi_bin/file_put', { type, body });
}

/* The window as the first look shows it, with what he asked. */
function open(world, who, member, n) {
    const question = questionOf(world, n), query = { conf: member.conference, part: 'page' };
    return world.insist(who, 'open', { conference: member.conference }, 'GET', '/cgi_bin/conf_view', { query, bearer: member.token },
        { heard: ({ body }) => body.includes(question) });
}

/* What was said, to keep: the same that he has read. */
function keep(world, who, member, events) {
    const query = { conf: member.conference, token: member.token, format: 'json' };
    return world.insist(who, 'keep', { conference: member.conference, events }, 'GET', '/cgi_bin/transcript', { query },
        { heard: (answer) => answer.json().events.map((event) => event.id) });
}

/* Reads on from his cursor, whatever breaks, until the end; what he read is an entry of its own. */
async function read(world, who, member, mine) {
    const events = [];
    for (let after = 0; !mine.hasGone && !world.isOver;) {
        const query = { conf: member.conference, token: member.token, after, wait: 2 };
        const poll = await world.insist(who, 'poll', {}, 'GET', '/cgi_bin/conf_poll', { query }, { isKept: false });
        if (poll.status !== 200) return world.history.add({ who, op: 'unread', poll });
        events.push(...poll.answer.events.filter((event) => event.kind !== 'typing').map((event) => event.id));
        after = poll.answer.after;
        if (poll.answer.state === 'ended' && !poll.answer.more) break;
    }
    const isWhole = !mine.hasGone && !world.isOver;
    world.history.add({ who, op: 'read', conference: member.conference, events, isWhole, began: world.now(), ended: world.now() });
    return isWhole && keep(world, who, member, events);
}

async function write(world, who, member, chance) {
    for (let i = 0, count = 1 + chance.below(3); i < count; i++) {
        await sleep(chance.between(0, 200));
        const said = await say(world, who, member, `${who} says ${i} in ${world.seed}`);
        if (said.status !== 200) return; // it has ended
        if (i > 0 || !chance.chance(0.15)) continue;
        const sent = await sendFile(world, who, member, chance);
        if (sent.status === 200) await lookAtFile(world, who, sent);
    }
}

/* The whole of his visit. */
export async function customer(world, n) {
    const chance = world.random(`customer ${n}`), who = `customer ${n}`;
    const isImpatient = chance.chance(0.05), mine = { hasGone: chance.chance(0.05) }, leaves = chance.chance(0.1);
    const asked = await ask(world, n, isImpatient ? 1 : undefined);
    if (asked.status !== 200 || mine.hasGone) return;
    const member = asked.answer;
    await Promise.all([open(world, who, member, n), read(world, who, member, mine), write(world, who, member, chance).then(() => leaves &&
        world.insist(who, 'leave', { conference: member.conference }, 'POST', '/cgi_bin/conf_post',
            { form: { conf: member.conference, token: member.token, kind: 'leave' } }))]);
}
