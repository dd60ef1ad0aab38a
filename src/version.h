/* version.h - the program's version; CHANGES says what came with it. */
#ifndef VERSION_H
#define VERSION_H

#define VKCB_VERSION "0.1.0"

#endif
