/* An agent of the crowd: signs in, polls, accepts at once or too late or twice or what he has just declined, declines or lets it
 * ring, writes, ends; once in a while nobody polls for him for so long that he counts as gone. */
import { sleep } from '../../lib/instance.js';
import { say } from './customer.js';
import { OFFER_S } from './world.js';

const act = (world, mine, action, fields, note = {}) => world.insist(mine.login, action, { ...note, ...fields }, 'POST',
    '/cgi_bin/agent_act', { form: { action, ...fields }, bearer: mine.token });

/* Writes to the customer for a while and ends it. */
async function serve(world, mine, member) {
    if (mine.served.has(member.conference)) return; // accepted twice, or its answer was lost and his page showed it
    mine.served.add(member.conference);
    for (let i = 0, count = 1 + mine.chance.below(3); i < count; i++) {
        await say(world, mine.login, member, `${mine.login} says ${i} in ${member.conference}`);
        await sleep(mine.chance.between(0, 300));
    }
    await act(world, mine, 'end', { conf: member.conference });
}

async function accept(world, mine, offer) {
    const accepted = await act(world, mine, 'accept', { reservation: offer.reservation }, { conference: offer.conference });
    if (accepted.status === 200) await serve(world, mine, accepted.answer);
}

/* What he does about an offer. */
async function answerOffer(world, mine, offer) {
    const { chance } = mine, dice = chance.next();
    const decline = () => act(world, mine, 'decline', { reservation: offer.reservation });
    if (chance.chance(world.repent)) // in two tabs: while another is offered him
        return Promise.all([decline(), sleep(chance.between(0, 100)).then(() => accept(world, mine, offer))]);
    if (dice < 0.05) return decline();
    if (dice < 0.08) return null; // it rings until its time is over
    if (dice < 0.16) await sleep(OFFER_S * 1000 + chance.between(100, 1500)); // too late
    else if (dice < 0.19) await sleep(OFFER_S * 1000 + chance.between(-60, 20)); // at the last moment
    else await sleep(chance.between(0, 60));
    const tries = Array.from({ length: chance.chance(0.1) ? 2 : 1 }, () => accept(world, mine, offer));
    return Promise.all(tries);
}

/* Whatever he has begun goes on beside his polls and is waited for at the end. */
function begin(mine, promise) {
    mine.busy.add(promise);
    promise.finally(() => mine.busy.delete(promise)).catch(() => {});
}

async function lookAt(world, mine, page) {
    if (page.agent.state !== 'ready') await act(world, mine, 'ready', {});
    for (const offer of page.offers) {
        if (mine.seen.has(offer.reservation)) continue;
        mine.seen.add(offer.reservation);
        begin(mine, answerOffer(world, mine, offer));
    }
    for (const member of page.conferences) if (!mine.served.has(member.conference)) begin(mine, serve(world, mine, member));
}

/* Works until the world is over. */
export async function agent(world, login) {
    const mine = { login, chance: world.random(login), seen: new Set(), served: new Set(), busy: new Set() };
    const signed = await world.insist(login, 'sign', {}, 'POST', '/cgi_bin/agent_sign',
        { form: { login, password: world.instance.password } });
    mine.token = signed.answer.token;
    for (let after = 0; !world.isOver;) {
        const poll = await world.insist(login, 'desk', {}, 'GET', '/cgi_bin/agent_poll', { query: { after, wait: 1 },
            bearer: mine.token }, { isKept: false });
        if (poll.status !== 200) throw new Error(`${login} is refused: ${JSON.stringify(poll)}`);
        ({ after } = poll.answer);
        await lookAt(world, mine, poll.answer);
        if (mine.chance.chance(0.003)) await sleep(mine.chance.between(20500, 23000)); // longer than gone_s: others take his place
    }
    await Promise.all(mine.busy);
}
