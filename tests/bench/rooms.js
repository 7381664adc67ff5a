/* What has to be there before something can be measured: rooms with members, people who work, customers who wait. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { act, agentPoll, signIn } from '../lib/people.js';
import { addAgents } from '../lib/wire.js';
import { folder, run } from './place.js';

const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });

const ask = (place, where) => new Promise((done, fail) => {
    http.get(`${place.base}/cgi_bin/${where}`, { agent, headers: { accept: 'application/json' } }, (answer) => {
        let text = '';
        answer.on('data', (data) => { text += data; });
        answer.on('end', () => (answer.statusCode === 200 ? done(JSON.parse(text)) : fail(new Error(`${where}: ${text}`))));
    }).on('error', fail);
});

async function room(place, members) {
    const { id, access } = await ask(place, 'vcs_conf_schedule?subject=bench');
    const lines = [];
    for (let i = 0; i < members; i++) {
        const call = await ask(place, `vcs_call?action=add&vanity=${access[2].code}&call_callid=${id}&name=m${i}`);
        lines.push(`${id} ${call.member.token}`);
    }
    return lines;
}

/* So many members, evenly in so many rooms: the options of load that name them. */
export async function members(place, count, rooms) {
    const lines = [], file = path.join(folder, `members-${place.port}-${count}-${rooms}`);
    for (let made = 0; made < rooms; made += 16) {
        const some = Array.from({ length: Math.min(16, rooms - made) }, () => room(place, count / rooms));
        lines.push(...(await Promise.all(some)).flat());
    }
    fs.writeFileSync(file, `${lines.join('\n')}\n`);
    const [conf, token] = lines[0].split(' ');
    return async () => {
        const { after } = await ask(place, `conf_poll?conf=${conf}&token=${token}&wait=0`);
        return { n: count, c: rooms, f: file, a: after };
    };
}

/* The same without tokens, for those who have no members. */
export const channels = (count, rooms) => ({ n: count, c: rooms });

/* So many agents with room for a hundred each, signed in and ready: the option of load that names them. */
export async function agents(place, count, capacity = 100) {
    const logins = Array.from({ length: count }, (_, i) => `bench${i}`), tokens = [];
    await addAgents(place, logins);
    run('sqlite3', [path.join(place.runDir, 'state/rtcc.db'), `UPDATE agent SET capacity = ${Number(capacity)} WHERE login LIKE 'bench%'`]);
    for (const login of logins) {
        const one = await signIn(place, login);
        await agentPoll(place, one);
        await act(place, one, 'ready');
        tokens.push(one.token);
    }
    const file = path.join(folder, `agents-${place.port}`);
    fs.writeFileSync(file, `${tokens.join('\n')}\n`);
    return { f: file };
}

/* Customers who wait already, written as the programs write them: a hundred thousand forms would take minutes. */
export function queueUp(place, count) {
    const database = path.join(place.runDir, 'state/rtcc.db');
    execFileSync('sqlite3', ['-cmd', '.timeout 10000', database], { input: `
BEGIN IMMEDIATE;
CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${Number(count) - 1}) SELECT i FROM n;
INSERT INTO conference (site, id, type, subject, owner, account, digest, code, state, start_at, created_at)
    SELECT 1, 900000000000000 + last_id + i, 'reservationless', '', '', 'local', '', 2 * (last_id % 1000000 + i), 'waiting', 1, 1 FROM n, site;
INSERT INTO invitation (site, id, conf, url, account, digest, priority, state, queued_at)
    SELECT 1, last_id + 1 + i, 900000000000000 + last_id + i, '', 'local', '', 5, 'queued', 1000 + last_id + i FROM n, site;
UPDATE site SET last_id = last_id + ${Number(count)} + 1;
COMMIT;` });
}
