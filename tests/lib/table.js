/* What a program says of itself with --help, which is made from the tables that it runs by: a program that is added is tested
 * by itself. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { buildFolder, tree } from './instance.js';

const asked = {};

function help(program) {
    asked[program] ??= execFileSync(path.join(buildFolder, 'cgi-bin', program), ['--help'], { encoding: 'utf8' });
    return asked[program];
}

/* Every program in cgi-bin. */
export const programNames = fs.readdirSync(path.join(tree, 'cgi-bin')).filter((name) => name.endsWith('.c'))
    .map((name) => name.slice(0, -2));

/* The parameters: [{name, kind, min, max, required, about}]; min and max of texts are characters. */
export const tableOf = (program) =>
    [...help(program).matchAll(/^ {2}(\w+) +(text|line|whole number|0 or 1|file)(?:, (.*?))?(; required)?\n {21}(.*)$/gm)].map(
        ([, name, kind, limits = '', required, about]) => ({ name, kind, required: !!required, about,
            min: Number(/^(\d+) to/.exec(limits)?.[1] ?? 0), max: Number(/(?:up to|to) (\d+)/.exec(limits)?.[1]) }));

/* ["GET", "HEAD", "POST"], or some of them. */
export const methodsOf = (program) => /^Methods: (.*)$/m.exec(help(program))[1].split(', ');
