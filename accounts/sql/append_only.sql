-- What happened stays as it was written: the application may add rows to these tables, and no more.
REVOKE UPDATE, DELETE ON
public.accounts_accountevent,
public.accounts_approvalevent,
public.accounts_auditedgroupevent,
public.accounts_grouppermissionevent,
public.accounts_holdingevent,
public.accounts_membershipevent,
public.accounts_statuschange,
public.accounts_userevent,
public.accounts_userpermissionevent,
public.accounts_viewing
FROM bank_app;
