/* version: what --version says. */
#ifndef RTCC_VERSION_H
#define RTCC_VERSION_H

#define RTCC_VERSION "0.1"

#endif
