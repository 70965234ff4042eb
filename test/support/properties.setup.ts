/** Run before each test file: every property of fast-check begins at the suite's seed. */
import fc from 'fast-check';
import { suiteSeed } from './seed.ts';

fc.configureGlobal({ seed: suiteSeed });
