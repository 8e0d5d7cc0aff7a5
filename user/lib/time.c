/* The calendar, UTC. */
#include <stdio.h>
#include <string.h>
#include <time.h>

time_t time(time_t *seconds)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_REALTIME, &ts);
	if (seconds)
		*seconds = ts.tv_sec;
	return ts.tv_sec;
}

static int is_leap(long year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Year by year, then month by month: a calendar that can be checked by reading it. */
struct tm *gmtime_r(const time_t *seconds, struct tm *tm)
{
	static const int month_days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	long days = *seconds / 86400, rest = *seconds % 86400, year = 1970;
	int month = 0;

	if (rest < 0) {
		rest += 86400;
		days--;
	}
	memset(tm, 0, sizeof(*tm));
	tm->tm_hour = (int)(rest / 3600);
	tm->tm_min = (int)(rest / 60 % 60);
	tm->tm_sec = (int)(rest % 60);
	tm->tm_wday = (int)(((days + 4) % 7 + 7) % 7);		/* 1970 began on a Thursday */
	year += days / 146097 * 400;				/* whole Gregorian cycles */
	days %= 146097;
	for (; days < 0; days += 365 + is_leap(year))
		year--;
	for (; days >= 365 + is_leap(year); year++)
		days -= 365 + is_leap(year);
	tm->tm_year = (int)(year - 1900);
	tm->tm_yday = (int)days;
	for (; days >= month_days[month] + (month == 1 && is_leap(year)); month++)
		days -= month_days[month] + (month == 1 && is_leap(year));
	tm->tm_mon = month;
	tm->tm_mday = (int)days + 1;
	return tm;
}

size_t strftime(char *buf, size_t size, const char *format, const struct tm *tm)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	size_t used = 0;

	for (; *format; format++) {
		char piece[32] = { *format, '\0' };

		if (*format == '%' && format[1]) {
			switch (*++format) {
			case 'a':
				snprintf(piece, sizeof(piece), "%.3s", days + 3 * tm->tm_wday);
				break;
			case 'b':
				snprintf(piece, sizeof(piece), "%.3s", months + 3 * tm->tm_mon);
				break;
			case 'd': snprintf(piece, sizeof(piece), "%02d", tm->tm_mday); break;
			case 'e': snprintf(piece, sizeof(piece), "%2d", tm->tm_mday); break;
			case 'F': strftime(piece, sizeof(piece), "%Y-%m-%d", tm); break;
			case 'H': snprintf(piece, sizeof(piece), "%02d", tm->tm_hour); break;
			case 'j': snprintf(piece, sizeof(piece), "%03d", tm->tm_yday + 1); break;
			case 'm': snprintf(piece, sizeof(piece), "%02d", tm->tm_mon + 1); break;
			case 'M': snprintf(piece, sizeof(piece), "%02d", tm->tm_min); break;
			case 'n': strcpy(piece, "\n"); break;
			case 'S': snprintf(piece, sizeof(piece), "%02d", tm->tm_sec); break;
			case 'T': strftime(piece, sizeof(piece), "%H:%M:%S", tm); break;
			case 'y': snprintf(piece, sizeof(piece), "%02d", tm->tm_year % 100); break;
			case 'Y': snprintf(piece, sizeof(piece), "%d", tm->tm_year + 1900); break;
			case 'Z': strcpy(piece, "UTC"); break;
			case '%': break;
			default: snprintf(piece, sizeof(piece), "%%%c", *format); break;
			}
		}
		used += strlcpy(buf + used, piece, size - used);
		if (used >= size)
			return 0;
	}
	return used;
}
