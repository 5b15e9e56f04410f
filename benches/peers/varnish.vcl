# Everything is kept for as long as the origin says. Varnish has no TLS of its own.
vcl 4.1;

backend origin {
    .host = "127.0.0.1";
    .port = "@ORIGIN@";
    .max_connections = 2000;
}
