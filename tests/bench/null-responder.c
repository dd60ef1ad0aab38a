/*
 * null-responder.c - the minimal FastCGI responder with libfcgi: reads the
 * body, answers ok. serve.sh compares vkcb with this program.
 */
#include <fcgiapp.h>

int
main(void)
{
	static char body[1 << 20];
	FCGX_Request request;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
		return 1;
	while (FCGX_Accept_r(&request) == 0) {
		(void)FCGX_GetStr(body, sizeof(body), request.in);
		(void)FCGX_PutS("Status: 200 OK\r\nContent-Type: text/plain\r\n"
		    "Content-Length: 2\r\n\r\nok", request.out);
		FCGX_Finish_r(&request);
	}
	return 0;
}
