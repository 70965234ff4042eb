/**
 * Whether threads of this process stand in line for a processor. One that was given none did
 * nothing, and it is not to blame.
 *
 *   /proc/self/task/N/stat        R: it runs, or would
 *   /proc/self/task/N/schedstat   nanoseconds it has run
 *
 * A thread that would run, and has had less than an eighth of the time since the last look, is
 * starved. One that spins is given more, on any machine that can do its work at all.
 *
 * Time is the kernel's (/proc/uptime). A machine without /proc has no such account: nobody is
 * starved there.
 *
 * **Thread:** main, which looks, and leaves itself out.
 */
import { readdirSync, readFileSync } from 'node:fs';

const STARVED_PART = 1 / 8;
/** Of less time nothing can be said: the kernel's clock ticks in hundredths of a second. */
const SPAN_SECONDS_MIN = 0.1;

export class ProcessorQueue {
  private readonly directory: string;
  private readonly mainThread: string;
  /** By thread: nanoseconds run, at the last look. */
  private ran: ReadonlyMap<string, number> = new Map();
  private lookedAt = Number.NaN;

  /** @param directory where the kernel's accounts are; @param mainThread its number */
  constructor(directory = '/proc', mainThread = String(process.pid)) {
    this.directory = directory;
    this.mainThread = mainThread;
  }

  /** Whether a thread was starved since the last look. False at the first. */
  look(): boolean {
    const { ran: before, lookedAt } = this;
    const ran = new Map<string, number>();
    const willing: string[] = [];
    try {
      this.lookedAt = Number(this.read('uptime').split(' ')[0]);
      for (const thread of readdirSync(`${this.directory}/self/task`)) {
        if (thread === this.mainThread) continue;
        const account = this.accountOf(thread);
        if (account === null) continue;
        ran.set(thread, account.ran);
        if (account.isWilling) willing.push(thread);
      }
    } catch {
      // No /proc.
      return false;
    }
    this.ran = ran;
    const seconds = this.lookedAt - lookedAt;
    if (!(seconds >= SPAN_SECONDS_MIN)) return false;
    return willing.some((thread) => {
      const since = ran.get(thread)! - (before.get(thread) ?? 0);
      return since / 1e9 < seconds * STARVED_PART;
    });
  }

  /** null: it has ended meanwhile, or the kernel keeps no account. */
  private accountOf(thread: string): { ran: number; isWilling: boolean } | null {
    try {
      const stat = this.read(`self/task/${thread}/stat`);
      const [ran] = this.read(`self/task/${thread}/schedstat`).split(' ');
      // Behind the thread's name, which may have any character in it.
      return { ran: Number(ran), isWilling: stat.slice(stat.lastIndexOf(')')).startsWith(') R') };
    } catch {
      return null;
    }
  }

  private read(file: string): string {
    return readFileSync(`${this.directory}/${file}`, 'utf8');
  }
}
