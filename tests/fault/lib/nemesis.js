/* Kills. Which program, which of its processes and when is drawn from the seed; that it dies in the middle of something comes from
 * the load. Kills are spread over the customers' coming, so that each falls into work. */
import fs from 'node:fs';
import path from 'node:path';
import { sleep, tree } from '../../lib/instance.js';

/* Every executable of ours, nginx (master and workers), and what keeps the programs alive. */
export const everything = [...fs.readdirSync(path.join(tree, 'cgi-bin')).filter((name) => name.endsWith('.c'))
    .map((name) => name.slice(0, -2)), 'rtcc', 'nginx', 'multiwatch'];

/* Kills one process of a program; false when it has none just now. */
function strike(world, name, chance) {
    const found = world.instance.processes(name);
    if (!found.length) return false;
    const victim = chance.pick(found);
    try { process.kill(victim.pid, 'SIGKILL'); } catch { return false; }
    world.history.add({ who: 'nemesis', op: 'kill', name, pid: victim.pid, began: world.now(), ended: world.now() });
    return true;
}

/* So many kills while so many customers come. */
export async function nemesis(world, { kills, customers, names = everything }) {
    const chance = world.random('nemesis'), pace = (customers * 0.95) / kills;
    for (let done = 0, next = 0; done < kills;) {
        while (world.begun < next && world.begun < customers) await sleep(5);
        next += chance.between(0, 2 * pace);
        await sleep(chance.between(0, 40));
        for (const began = world.now(); !strike(world, chance.pick(names), chance);) {
            if (world.now() - began > 20000) throw new Error('there is nobody left to kill');
            await sleep(20);
        }
        done++;
    }
}
