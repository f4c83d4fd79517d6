/* A disk that fails: preloaded, it lets one write to the bot's database fail, or all from one on.

   Counted are the calls that change a file with "bot.db" in its name, or bring it to the disk: SQLite's own, its log's,
   the mark's. `dirty` says whether anything was written to them that is not on the disk yet. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static long calls, first, last;
static int with, unsynced[4096];

void disk_fail(long at, long until, int error) { calls = 0; first = at; last = until; with = error; }
long disk_calls(void) { return calls; }
int disk_dirty(void) {
    for (int fd = 0; fd < 4096; fd++)
        if (unsynced[fd]) return 1;
    return 0;
}

static int ours(int fd) {
    char link[64], name[4096];
    int error = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long length = readlink(link, name, sizeof name - 1);
    errno = error;
    if (length < 0) return 0;
    name[length] = 0;
    return strstr(name, "bot.db") && !strstr(name, "-shm");
}

static int fails(int fd) {
    if (!ours(fd)) return 0;
    calls++;
    if (calls < first || calls > last) return 0;
    errno = with;
    return 1;
}

static void wrote(int fd) { if (fd < 4096 && ours(fd)) unsynced[fd] = 1; }
static int synced(int fd, int answer) { if (!answer && fd < 4096) unsynced[fd] = 0; return answer; }

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *from, size_t size) {
    if (fails(fd)) return -1;
    wrote(fd);
    return REAL(write)(fd, from, size);
}
ssize_t pwrite(int fd, const void *from, size_t size, off_t at) {
    if (fails(fd)) return -1;
    wrote(fd);
    return REAL(pwrite)(fd, from, size, at);
}
ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) {
    if (fails(fd)) return -1;
    wrote(fd);
    return REAL(pwrite64)(fd, from, size, at);
}
int ftruncate(int fd, off_t size) { return fails(fd) ? -1 : REAL(ftruncate)(fd, size); }
int ftruncate64(int fd, off64_t size) { return fails(fd) ? -1 : REAL(ftruncate64)(fd, size); }
int fsync(int fd) { return fails(fd) ? -1 : synced(fd, REAL(fsync)(fd)); }
int fdatasync(int fd) { return fails(fd) ? -1 : synced(fd, REAL(fdatasync)(fd)); }
int close(int fd) {
    if (fd >= 0 && fd < 4096) unsynced[fd] = 0;
    return REAL(close)(fd);
}
