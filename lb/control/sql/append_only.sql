-- What happened to the backends stays as it was written.
REVOKE UPDATE, DELETE, TRUNCATE ON public.lb_backendevent FROM bank_app;
