/** How many disks there are, of all accounts: for those who watch a plane. Reads every disk. */
import type { Metadata } from '../../meta/metadata.ts';
import type { DiskStatus } from '../../record/resource.ts';

export interface DiskCount {
  readonly Status: string;
  readonly Encrypted: boolean;
  readonly Count: number;
}

const STATUSES: readonly DiskStatus[] = [
  'Creating',
  'Available',
  'Attaching',
  'In_use',
  'Detaching',
  'ReIniting',
];

/** States with no disk in them are told of too. */
export function countDisks(metadata: Metadata): DiskCount[] {
  const disks = metadata.disksWithStatus(STATUSES);
  return STATUSES.flatMap((Status) => {
    const inState = disks.filter(({ status }) => status === Status);
    const encrypted = inState.filter(({ encryption }) => encryption !== null).length;
    return [
      { Status, Encrypted: true, Count: encrypted },
      { Status, Encrypted: false, Count: inState.length - encrypted },
    ];
  });
}
