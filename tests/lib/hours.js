/* Opening hours that are not now, whenever the test runs. */
const DAYS = ['Su', 'Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa'];

/* One day of the week, three days from now in UTC: {hours, settings, opensAt}. */
export function inThreeDays() {
    const day = new Date(Date.now() + 3 * 86400000), hours = `${DAYS[day.getUTCDay()]} 09:00-17:00`;
    return { hours, settings: { opening_hours: hours, time_zone: 'UTC' }, opensAt: day.setUTCHours(9, 0, 0, 0) };
}
