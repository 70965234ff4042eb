/**
 * How many times as long randomized tests run: 1 unless the environment says otherwise.
 *
 * @example SEALDISK_LONG=50 npx vitest run --project unit test/unit/segment --testTimeout=0
 */
export const longFactor = Number(process.env.SEALDISK_LONG ?? 1);
