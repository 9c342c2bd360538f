-- What was changed of raises of limits and of disputes stays as it was written.
REVOKE UPDATE, DELETE, TRUNCATE ON public.transactions_limitraiseevent FROM bank_app;
REVOKE UPDATE, DELETE, TRUNCATE ON public.transactions_disputeevent FROM bank_app;
