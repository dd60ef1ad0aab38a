/* own.h - files that root makes for the web server's user. */
#ifndef OWN_H
#define OWN_H

/*
 * Root, who runs `vkcb setup` or `vkcb check`, gives a file it has just made,
 * still empty, to the owner of its folder, whose processes share it. Others:
 * nothing.
 */
void own_by_folder(int fd, const char *path);

#endif
