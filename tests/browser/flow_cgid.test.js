/* The way of the patent in a real browser through Apache with mod_cgid, where each request is a process of its own. */
import { flow } from '../lib/flow.js';

flow({ web: 'cgid' });
