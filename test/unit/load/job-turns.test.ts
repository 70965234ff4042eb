/** Jobs by turns: what a turn tells of, that the pattern goes on, and how one fails. */
import { expect, test } from 'vitest';
import { readJobFile } from '../../../src/load/job.ts';
import { planRun } from '../../../src/load/job-plan.ts';
import { JobTurns } from '../../../src/load/job-turns.ts';
import { createMemoryTarget, createNullTarget, type Target } from '../../../src/load/target.ts';
import { inTurnsOf } from '../../../src/load/turns.ts';
import { witness } from './doubles.ts';

async function open(text: string, target: Target, turnMs = 5): Promise<JobTurns> {
  const file = inTurnsOf(readJobFile(text, 'job.fio', {}), turnMs);
  const turns = new JobTurns(
    planRun(file, () => target.name, 0),
    async () => target,
  );
  await turns.open();
  return turns;
}

test('a turn tells of each job what it did in it, and what the process spent', async () => {
  const { target, requests } = witness(createMemoryTarget());
  const text =
    '[global]\nbs=4k\nsize=64k\n[w]\nrw=write\nnumjobs=2\n[x]\nrw=write\n[r]\nstonewall\nrw=read';
  const turns = await open(text, target);
  requests.splice(0);
  for (let turn = 0; turn < 3; turn++) {
    const before = requests.length;
    const made = await turns.turn();
    expect(made.map(({ name }) => name)).toEqual(['w', 'x', 'r']);
    for (const { requests: count, bytes, elapsedMs, cpuMs } of made) {
      expect(count).toBeGreaterThan(0);
      expect(bytes).toBe(count * 4096);
      expect(elapsedMs).toBeGreaterThan(0);
      expect(cpuMs).toBeGreaterThanOrEqual(0);
    }
    const counted = made.reduce((sum, each) => sum + each.requests, 0);
    expect(counted).toBe(requests.length - before);
  }
  const before = requests.length;
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(requests.length).toBe(before);
  await turns.close();
});

test('a turn too short for a request is tried again, and ends all the same', async () => {
  const { target, requests } = witness(createNullTarget());
  const turns = await open('[w]\nrw=write\nbs=4k\nsize=64k', target, 0.001);
  const [made] = await turns.turn();
  expect(made!.requests).toBe(requests.length);
  await turns.close();
});

test('a request that fails is the error of the turn', async () => {
  const sound = createNullTarget();
  const target: Target = {
    ...sound,
    openDisk: async (name, sizeBytes) => ({
      ...(await sound.openDisk(name, sizeBytes)),
      read: () => Promise.reject(new Error('no such sector')),
    }),
  };
  const turns = await open('[r]\nrw=read\nbs=4k\nsize=64k', target);
  await expect(turns.turn()).rejects.toThrow('no such sector');
  await turns.close();
});
