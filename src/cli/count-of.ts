/** A number and what it counts, as people write it: 1 disk, 2 disks. Pure. */

export function countOf(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}
