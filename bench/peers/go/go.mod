module bench

go 1.25

require github.com/zishang520/socket.io/servers/socket/v3 v3.0.5
