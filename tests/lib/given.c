/* given: stands in for a program and says what the web server gave it, FastCGI or CGI alike: each variable on a line of its own. */
#include <fcgi_stdio.h>

extern char **environ;

int
main(void)
{
    while (FCGI_Accept() >= 0) {
        printf("Content-Type: text/plain\r\n\r\n");
        for (char **each = environ; *each != NULL; each++)
            printf("%s\n", *each);
    }
    return 0;
}
