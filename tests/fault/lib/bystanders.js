/* Who else is there while customers and agents talk, so that each program has work when it is killed: somebody who books rooms and gives
 * them up, a colleague who signs in and out, a monitor that asks how it goes. Each goes on until the world is over. */
import { find } from '../../lib/http.js';
import { sleep } from '../../lib/instance.js';
import { conferenceOf } from '../../lib/wire.js';

const xml = { accept: 'application/xml' };
const idsIn = (answer) => find(answer.xml(), 'conference').map((one) => one.attributes.id);

const untilOver = async (world, name, turn) => {
    const chance = world.random(name);
    for (let n = 0; !world.isOver; n++) {
        await turn(n, chance);
        await sleep(chance.between(0, 100));
    }
};

/* A room that is booked, stands in the list, is given up and does not stand there any more. */
export const booker = (world) => untilOver(world, 'booker', async (n) => {
    const subject = `Booked ${n} of ${world.seed}`, query = { subject, reqid: `${world.seed}-booked-${n}` };
    const booked = await world.insist('booker', 'book', { subject }, 'GET', '/cgi_bin/vcs_conf_schedule', { query, ...xml },
        { heard: (answer) => conferenceOf(answer.xml()) });
    if (booked.status !== 200) return;
    const { id, leader } = booked.answer, listed = { conference: id };
    await world.insist('booker', 'list', listed, 'GET', '/cgi_bin/vcs', { query: { all_vanities: 'true' }, ...xml }, { heard: idsIn });
    await world.insist('booker', 'give up', listed, 'GET', '/cgi_bin/vcs_conf_delete', { query: { delete_vanity: leader }, ...xml },
        { heard: idsIn });
});

/* A session that works until it is ended, and not after. */
export const colleague = (world) => untilOver(world, 'colleague', async (n) => {
    const insist = (op, method, program, options) => world.insist('colleague', op, { n }, method, `/cgi_bin/${program}`, options);
    const form = { login: world.colleague, password: world.instance.password };
    const signed = await insist('sign in', 'POST', 'agent_sign', { form });
    if (signed.status !== 200) return;
    const bearer = signed.answer.token, look = (op) => insist(op, 'GET', 'agent_poll', { query: { wait: 0 }, bearer });
    await look('look inside');
    await insist('sign out', 'POST', 'agent_sign', { form: { action: 'out' }, bearer });
    await look('look outside');
});

/* Insists, as long as it is not told that all is well. */
export const monitor = (world) => untilOver(world, 'monitor', () => world.insist('monitor', 'ask how it goes', {}, 'GET',
    '/cgi_bin/status', {}));
